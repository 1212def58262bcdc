using System.Reflection;

namespace GradScope.Interactive;

/// <summary>
/// The bridge to .NET Interactive, bound by name when it is loaded: its packages are archived and nothing here is compiled
/// against them. It uses the invocation context's Display, whose handle updates the output that is shown.
/// </summary>
internal sealed class DotNetInteractiveBridge : IDisplayBridge
{
    private const string Namespace = "Microsoft.DotNet.Interactive";

    public ILiveOutput? Show(object value)
    {
        var assembly = AppDomain.CurrentDomain.GetAssemblies().FirstOrDefault(a => a.GetName().Name == Namespace);
        var context = assembly?.GetType($"{Namespace}.KernelInvocationContext")
            ?.GetProperty("Current", BindingFlags.Public | BindingFlags.Static)?.GetValue(null);
        var display = assembly?.GetType($"{Namespace}.KernelInvocationContextExtensions")
            ?.GetMethods(BindingFlags.Public | BindingFlags.Static)
            .FirstOrDefault(m => m.Name == "Display" && m.GetParameters() is [_, { ParameterType: var shown }, { ParameterType: var mimeTypes }]
                && shown == typeof(object) && mimeTypes == typeof(string[]));
        var handle = context is null ? null : display?.Invoke(null, [context, value, Array.Empty<string>()]);
        var update = handle?.GetType().GetMethod("Update", [typeof(object)]);
        return update is null ? null : new Output(handle!, update);
    }

    private sealed class Output(object handle, MethodInfo update) : ILiveOutput
    {
        public void Update(object value) => update.Invoke(handle, [value]);
    }
}
