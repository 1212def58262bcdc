using System.Reflection;
using GradScope.Interactive;
using GradScope.Notebooks;

namespace GradScope.Cli;

/// <summary>The packages that notebooks get from this tool itself, without a restore.</summary>
internal static class HostPackages
{
    private static readonly string[] charts = ["Newtonsoft.Json", "FSharp.Core", "XPlot.Plotly"];

    /// <summary>GradScope and what is built on it, each with the assemblies that it brings along.</summary>
    public static IReadOnlyList<ProvidedPackage> All { get; } =
    [
        Package("GradScope", ["GradScope"]),
        Package("GradScope.Figures", ["GradScope", "GradScope.Figures"]),
        Package("GradScope.Tokenizers", ["GradScope", "GradScope.Tokenizers"]),
        Package("GradScope.Interactive", ["GradScope", "GradScope.Figures", "GradScope.Tokenizers", "GradScope.Interactive", .. charts], LoadInteractive),
        Package("XPlot.Plotly", charts),
    ];

    /// <summary>Does what the package's extension.dib does in .NET Interactive, and lets live views reach the running cell.</summary>
    private static void LoadInteractive()
    {
        DisplayBridge.Current = new CellBridge();
        CellContext.Current?.Magics.Add("gradscope", _ =>
        {
            Console.WriteLine(GradScopeExtension.Describe());
            return Task.CompletedTask;
        });
        Console.WriteLine(GradScopeExtension.Load());
    }

    private static ProvidedPackage Package(string id, string[] names, Action? onLoad = null)
    {
        Assembly[] assemblies = [.. names.Select(Assembly.Load)];
        var version = assemblies[^1].GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0];
        return new(id, version ?? "", assemblies, onLoad);
    }
}

/// <summary>Shows GradScope's live views in the cell that makes them.</summary>
internal sealed class CellBridge : IDisplayBridge
{
    public ILiveOutput? Show(object value) => CellContext.Current is { } cell ? new Output(cell, cell.Display(value)) : null;

    private sealed class Output : ILiveOutput
    {
        private readonly CellContext cell;
        private readonly DisplayHandle handle;
        private readonly TaskCompletionSource finished = new();

        public Output(CellContext cell, DisplayHandle handle)
        {
            (this.cell, this.handle) = (cell, handle);
            cell.WaitFor(finished.Task);
        }

        public CancellationToken Stopped => cell.Stopping;

        public void Update(object value) => handle.Update(value);

        public void Finish(object value)
        {
            handle.Finish(value);
            finished.TrySetResult();
        }
    }
}
