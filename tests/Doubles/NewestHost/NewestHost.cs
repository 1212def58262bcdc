// The types of .NET Interactive's newest state (April 2026) that GradScope binds to by name, with what they do.
using Microsoft.DotNet.Interactive.Commands;
using Microsoft.DotNet.Interactive.Directives;
using Microsoft.DotNet.Interactive.Formatting;

namespace Microsoft.DotNet.Interactive
{
    public delegate Task KernelCommandInvocation(KernelCommand command, KernelInvocationContext context);

    public class Kernel
    {
        public Kernel() => RootKernel = this;

        public Kernel RootKernel { get; internal set; }

        public Dictionary<string, KernelCommandInvocation> Directives { get; } = [];

        public void AddDirective(KernelActionDirective directive, KernelCommandInvocation handler) => Directives[directive.Name] = handler;

        public void AddDirective<TCommand>(KernelActionDirective directive, Func<TCommand, KernelInvocationContext, Task> handler)
            where TCommand : KernelCommand => Directives[directive.Name] = (command, context) => handler((TCommand)command, context);
    }

    public sealed class KernelInvocationContext
    {
        private static readonly AsyncLocal<KernelInvocationContext?> current = new();

        private readonly CancellationTokenSource cancellation = new();

        public KernelInvocationContext(Kernel kernel) => HandlingKernel = kernel;

        public static KernelInvocationContext? Current
        {
            get => current.Value;
            set => current.Value = value;
        }

        public Kernel HandlingKernel { get; }

        public CancellationToken CancellationToken => cancellation.IsCancellationRequested ? new CancellationToken(true) : cancellation.Token;

        public bool IsComplete { get; set; }

        public List<(string Id, object Value, bool IsUpdate)> Published { get; } = [];

        /// <summary>The callbacks run first, then the command has failed.</summary>
        public void Cancel()
        {
            cancellation.Cancel();
            IsComplete = true;
        }
    }

    public static class KernelInvocationContextExtensions
    {
        public static DisplayedValue Display(this KernelInvocationContext context, object value, params string[] mimeTypes)
        {
            var displayed = new DisplayedValue(value);
            context.Published.Add((displayed.DisplayId, value, false));
            return displayed;
        }

        public static DisplayedValue DisplayAs(this KernelInvocationContext context, string value, string mimeType) =>
            throw new InvalidOperationException($"{mimeType} would be escaped at the update: {value}, {context}");
    }
}

namespace Microsoft.DotNet.Interactive.Commands
{
    public abstract class KernelCommand
    {
    }

    public class DirectiveCommand : KernelCommand
    {
    }
}

namespace Microsoft.DotNet.Interactive.Directives
{
    public class KernelActionDirective(string name, string? description = null)
    {
        public string Name { get; } = name;

        public string? Description { get; set; } = description;
    }
}

namespace Microsoft.DotNet.Interactive.Formatting
{
    public class DisplayedValue(object value)
    {
        public string DisplayId { get; } = Guid.NewGuid().ToString();

        public object Value { get; private set; } = value;

        public void Update(object updatedValue)
        {
            Value = updatedValue;

            // What is updated after the cell has ended is dropped.
            if (KernelInvocationContext.Current is { IsComplete: false } context)
            {
                context.Published.Add((DisplayId, updatedValue, true));
            }
        }
    }
}
