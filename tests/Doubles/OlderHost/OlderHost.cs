// The types of .NET Interactive before its magic commands changed (July 2024) that GradScope binds to by name, with what they do.
using System.CommandLine;

namespace Microsoft.DotNet.Interactive
{
    public class Kernel
    {
        public Kernel() => RootKernel = this;

        public Kernel RootKernel { get; internal set; }

        public Dictionary<string, Command> Directives { get; } = [];

        public void AddDirective(Command command) => Directives[command.Name] = command;
    }

    public sealed class KernelInvocationContext
    {
        private static readonly AsyncLocal<KernelInvocationContext?> current = new();

        public KernelInvocationContext(Kernel kernel) => HandlingKernel = kernel;

        public static KernelInvocationContext? Current
        {
            get => current.Value;
            set => current.Value = value;
        }

        public Kernel HandlingKernel { get; }

        public CancellationToken CancellationToken => CancellationToken.None;

        public List<(string Id, object Value, bool IsUpdate)> Published { get; } = [];
    }

    public static class KernelInvocationContextExtensions
    {
        public static DisplayedValue Display(this KernelInvocationContext context, object value, params string[] mimeTypes)
        {
            var displayed = new DisplayedValue(context);
            context.Published.Add((displayed.DisplayId, value, false));
            return displayed;
        }
    }

    public class DisplayedValue(KernelInvocationContext context)
    {
        public string DisplayId { get; } = Guid.NewGuid().ToString();

        public void Update(object updatedValue) => context.Published.Add((DisplayId, updatedValue, true));
    }
}

namespace System.CommandLine
{
    public class Command(string name, string? description = null)
    {
        public string Name { get; } = name;

        public string? Description { get; } = description;

        public Invocation.ICommandHandler? Handler { get; set; }
    }
}

namespace System.CommandLine.Invocation
{
    public sealed class InvocationContext
    {
    }

    public interface ICommandHandler
    {
        int Invoke(InvocationContext context);

        Task<int> InvokeAsync(InvocationContext context);
    }
}
