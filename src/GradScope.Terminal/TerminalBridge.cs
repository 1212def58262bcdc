using GradScope.Interactive;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace GradScope.Terminal;

/// <summary>
/// Shows live trainings at the end of a terminal, below each other where there are several, and updates them in place; a finished one
/// stays as text. Where the output is no terminal, nothing is shown. Found by itself where this package is referenced.
/// </summary>
public sealed class TerminalBridge : IDisplayBridge
{
    private readonly IAnsiConsole console;
    private readonly Lock gate = new();
    private readonly List<Output> running = [];
    private int lines;

    /// <summary>A bridge to the process's console.</summary>
    public TerminalBridge()
        : this(AnsiConsole.Console)
    {
    }

    /// <summary>A bridge to any console.</summary>
    public TerminalBridge(IAnsiConsole console) => this.console = console;

    /// <inheritdoc/>
    public ILiveOutput? Show(object value)
    {
        if (value is not LiveView view || !console.Profile.Capabilities.Ansi || !console.Profile.Out.IsTerminal)
        {
            return null;
        }

        var output = new Output(this, view);
        lock (gate)
        {
            running.Add(output);
            Draw();
        }

        return output;
    }

    /// <summary>Writes the running trainings over what was written of them before.</summary>
    private void Draw()
    {
        List<IRenderable> all = [.. running.Select(output => LivePanel.Of(output.View))];
        var options = RenderOptions.Create(console, console.Profile.Capabilities);
        var rendered = all.SelectMany(panel => Segment.SplitLines(panel.Render(options, console.Profile.Width))).ToList();

        // A screen's height of them can be reached again; what has scrolled off cannot.
        var shown = rendered.TakeLast(Math.Max(1, console.Profile.Height - 1)).ToList();
        Clear();
        foreach (var line in shown)
        {
            if (line.Count > 0) console.Write(new Segments(line));
            console.WriteLine();
        }

        lines = shown.Count;
    }

    private void Clear()
    {
        if (lines > 0)
        {
            console.Write(new ControlCode($"\e[{lines}F\e[0J"));
        }

        lines = 0;
    }

    private void Update(Output output)
    {
        lock (gate)
        {
            if (!output.View.IsFinished)
            {
                Draw();
                return;
            }

            if (running.Remove(output))
            {
                Clear();
                console.WriteLine(output.View.Text);
                Draw();
            }
        }
    }

    private sealed class Output(TerminalBridge bridge, LiveView first) : ILiveOutput
    {
        public LiveView View { get; private set; } = first;

        public void Update(object value)
        {
            View = (LiveView)value;
            bridge.Update(this);
        }
    }

    private sealed class Segments(IEnumerable<Segment> segments) : Renderable
    {
        protected override IEnumerable<Segment> Render(RenderOptions options, int maxWidth) => segments;
    }
}
