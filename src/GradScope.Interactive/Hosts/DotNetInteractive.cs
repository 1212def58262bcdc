using System.ComponentModel;
using System.Reflection;

namespace GradScope.Interactive;

/// <summary>
/// .NET Interactive, bound by name where it is loaded: its packages are archived and nothing here is compiled against them. Both shapes
/// of its magic commands are known, that of mid-2024 and later and the one before.
/// </summary>
/// <param name="host">The host's core assembly; found among the loaded ones unless given.</param>
internal sealed class DotNetInteractive(Assembly? host = null) : IDisplayBridge
{
    private const string Namespace = "Microsoft.DotNet.Interactive", Description = "Tells GradScope's version, what it shows, and how.";

    private Assembly? Core => host ?? AppDomain.CurrentDomain.GetAssemblies().FirstOrDefault(a => a.GetName().Name == Namespace);

    private object? Context => Core?.GetType($"{Namespace}.KernelInvocationContext")?.GetProperty("Current", BindingFlags.Public | BindingFlags.Static)?.GetValue(null);

    /// <inheritdoc/>
    public ILiveOutput? Show(object value)
    {
        var context = Context;
        var handle = Display(context, value);
        var update = handle?.GetType().GetMethod("Update", [typeof(object)]);
        return update is null ? null : new Output(handle!, update, Property(context, "CancellationToken") is CancellationToken token ? token : default);
    }

    /// <summary>Adds a magic command without arguments to the host's root kernel.</summary>
    /// <param name="name">With its #!.</param>
    /// <param name="run">What it shows.</param>
    /// <returns>Whether the host has a shape of commands that is known here.</returns>
    public bool AddMagic(string name, Func<object> run)
    {
        var kernel = Property(Property(Context, "HandlingKernel"), "RootKernel");
        foreach (var method in kernel?.GetType().GetMethods().Where(m => m is { Name: "AddDirective", IsGenericMethod: false }) ?? [])
        {
            object[]? arguments = method.GetParameters() switch
            {
                [{ ParameterType: { Name: "KernelActionDirective" } directive }, { ParameterType: var invocation }] =>
                    [Activator.CreateInstance(directive, name, Description)!, new Handler(this, run).As(invocation)],
                [{ ParameterType: { Name: "Command" } command }] => [Command(command, name, run)],
                _ => null,
            };
            if (arguments is not null)
            {
                method.Invoke(kernel, arguments);
                return true;
            }
        }

        return false;
    }

    private object Command(Type type, string name, Func<object> run)
    {
        var command = Activator.CreateInstance(type, name, Description)!;
        var handler = type.GetProperty("Handler")!;
        var proxy = (HandlerProxy)DispatchProxy.Create(handler.PropertyType, typeof(HandlerProxy));
        proxy.Run = () => Display(Context, run());
        handler.SetValue(command, proxy);
        return command;
    }

    private static object? Property(object? owner, string name) => owner?.GetType().GetProperty(name)?.GetValue(owner);

    /// <summary>Shows by the invocation context's Display, whose handle updates the output that is shown; the words of cells return another.</summary>
    /// <returns>The handle; null where there is no cell or no such method.</returns>
    private object? Display(object? context, object value) =>
        context is null ? null : Core?.GetType($"{Namespace}.KernelInvocationContextExtensions")
            ?.GetMethods(BindingFlags.Public | BindingFlags.Static)
            .FirstOrDefault(m => m.Name == "Display" && m.GetParameters() is [_, { ParameterType: var shown }, { ParameterType: var mimeTypes }]
                && shown == typeof(object) && mimeTypes == typeof(string[]))
            ?.Invoke(null, [context, value, Array.Empty<string>()]);

    private sealed class Output : ILiveOutput
    {
        /// <summary>How long an interrupt waits for the last view.</summary>
        private static readonly TimeSpan patience = TimeSpan.FromSeconds(5);

        private readonly object handle;
        private readonly MethodInfo update;
        private readonly CancellationTokenSource stop = new();
        private readonly ManualResetEventSlim finished = new();

        public Output(object handle, MethodInfo update, CancellationToken interrupt)
        {
            (this.handle, this.update) = (handle, update);
            if (interrupt.IsCancellationRequested)
            {
                stop.Cancel();
            }
            else
            {
                // The host drops what comes once its callbacks have returned, and the view would stay as if training went on.
                interrupt.Register(() =>
                {
                    stop.Cancel();
                    finished.Wait(patience);
                });
            }
        }

        public CancellationToken Stopped => stop.Token;

        public void Update(object value) => update.Invoke(handle, [value]);

        public void Finish(object value)
        {
            try
            {
                Update(value);
            }
            finally
            {
                finished.Set();
            }
        }
    }

    /// <summary>The newer shape's delegate: (command, context) → task.</summary>
    private sealed class Handler(DotNetInteractive host, Func<object> run)
    {
        public Delegate As(Type type) => Delegate.CreateDelegate(type, this, GetType().GetMethod(nameof(Invoke))!);

        public Task Invoke(object command, object context)
        {
            host.Display(context, run());
            return Task.CompletedTask;
        }
    }
}

/// <summary>The older shape's handler, an interface of System.CommandLine.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public class HandlerProxy : DispatchProxy
{
    internal Action Run { get; set; } = () => { };

    /// <inheritdoc/>
    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        Run();
        return targetMethod?.ReturnType == typeof(int) ? 0 : Task.FromResult(0);
    }
}
