using System.Reflection;

namespace GradScope.Interactive;

/// <summary>
/// The bridge to .NET Interactive, bound by name when it is loaded: its packages are archived and nothing here is compiled
/// against them. It uses the invocation context's Display, whose handle updates the output that is shown.
/// </summary>
/// <param name="host">The host's core assembly; found among the loaded ones unless given.</param>
internal sealed class DotNetInteractiveBridge(Assembly? host = null) : IDisplayBridge
{
    private const string Namespace = "Microsoft.DotNet.Interactive";

    public ILiveOutput? Show(object value)
    {
        var assembly = host ?? AppDomain.CurrentDomain.GetAssemblies().FirstOrDefault(a => a.GetName().Name == Namespace);
        var context = assembly?.GetType($"{Namespace}.KernelInvocationContext")
            ?.GetProperty("Current", BindingFlags.Public | BindingFlags.Static)?.GetValue(null);
        var display = assembly?.GetType($"{Namespace}.KernelInvocationContextExtensions")
            ?.GetMethods(BindingFlags.Public | BindingFlags.Static)
            .FirstOrDefault(m => m.Name == "Display" && m.GetParameters() is [_, { ParameterType: var shown }, { ParameterType: var mimeTypes }]
                && shown == typeof(object) && mimeTypes == typeof(string[]));
        var handle = context is null ? null : display?.Invoke(null, [context, value, Array.Empty<string>()]);
        var update = handle?.GetType().GetMethod("Update", [typeof(object)]);
        return update is null ? null : new Output(handle!, update, context!.GetType().GetProperty("CancellationToken")?.GetValue(context));
    }

    private sealed class Output(object handle, MethodInfo update, object? cancellation) : ILiveOutput
    {
        public CancellationToken Stopped => cancellation is CancellationToken token ? token : CancellationToken.None;

        public void Update(object value) => update.Invoke(handle, [value]);
    }
}
