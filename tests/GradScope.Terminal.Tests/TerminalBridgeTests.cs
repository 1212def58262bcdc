using System.Text;
using System.Text.RegularExpressions;
using Spectre.Console;

namespace GradScope.Terminal.Tests;

/// <summary>Live training in a terminal of which the written characters are kept.</summary>
public partial class TerminalBridgeTests
{
    private static readonly Names fewNames = new(["ana", "ann", "nan", "anna", "nana", "dan", "dana", "nadan"]);

    [Fact]
    public async Task Progress_and_sparklines_are_drawn_in_place_and_the_finished_text_stays()
    {
        var screen = new Screen();
        var trainer = NewTrainer();
        await trainer.TrainAsync(400, new() { Bridge = new TerminalBridge(screen.Console) });

        Assert.Contains("step 0 of 400", screen.Raw);
        Assert.Contains("━", screen.Raw);
        Assert.Matches("gradient norm.*[▁▂▃▄▅▆▇█]", screen.Raw);
        Assert.Contains("blocks.0.resid_pre", screen.Raw);
        Assert.Equal(trainer.Run.ToFigure().Text, screen.Visible);
    }

    [Fact]
    public void Two_at_once_stand_below_each_other_and_the_finished_one_above()
    {
        var screen = new Screen();
        var bridge = new TerminalBridge(screen.Console);
        var (one, other) = (NewTrainer(), NewTrainer());
        using (one.Live(new() { Bridge = bridge }))
        {
            using (other.Live(new() { Bridge = bridge }))
            {
                other.Train(2);
            }

            Assert.StartsWith(other.Run.ToFigure().Text + "\nTraining: names\nstep 0", screen.Visible);
            one.Train(3);
        }

        Assert.Equal(other.Run.ToFigure().Text + "\n" + one.Run.ToFigure().Text, screen.Visible);
    }

    [Fact]
    public async Task Where_the_output_is_no_terminal_nothing_is_written()
    {
        var screen = new Screen(isTerminal: false);
        var trainer = NewTrainer();
        await trainer.TrainAsync(3, new() { Bridge = new TerminalBridge(screen.Console) });
        Assert.Equal(3, trainer.Steps);
        Assert.Empty(screen.Raw);
    }

    [Fact]
    public void It_is_found_by_its_name()
    {
        var found = Type.GetType("GradScope.Terminal.TerminalBridge, GradScope.Terminal");
        Assert.Equal(typeof(TerminalBridge), found);
        Assert.IsType<TerminalBridge>(Activator.CreateInstance(found!));
    }

    private static Trainer NewTrainer() =>
        new(new MiniTransformer(fewNames.VocabSize, contextLength: 6), fewNames) { BatchSize = 4, Probe = "anna" };

    /// <summary>A terminal, 100 characters wide, which understands what the bridge moves the cursor with.</summary>
    private sealed partial class Screen : IAnsiConsoleOutput
    {
        private readonly StringWriter written = new();

        public Screen(bool isTerminal = true)
        {
            IsTerminal = isTerminal;
            Console = AnsiConsole.Create(new() { Ansi = isTerminal ? AnsiSupport.Yes : AnsiSupport.No, ColorSystem = ColorSystemSupport.NoColors, Out = this });
        }

        public IAnsiConsole Console { get; }

        public TextWriter Writer => written;

        public bool IsTerminal { get; }

        public int Width => 100;

        public int Height => 50;

        public string Raw => written.ToString();

        /// <summary>What a reader sees at the end, without spaces at the ends of lines.</summary>
        public string Visible
        {
            get
            {
                List<string> lines = [""];
                foreach (var part in UpAndClear().Split(Raw))
                {
                    if (int.TryParse(part, out var up))
                    {
                        lines = [.. lines.SkipLast(up + 1), ""];
                        continue;
                    }

                    var more = Codes().Replace(part, "").ReplaceLineEndings("\n").Split('\n');
                    lines[^1] += more[0];
                    lines.AddRange(more[1..]);
                }

                return string.Join('\n', lines.Select(line => line.TrimEnd())).TrimEnd();
            }
        }

        public void SetEncoding(Encoding encoding)
        {
        }

        [GeneratedRegex("\e\\[(\\d+)F\e\\[0J")]
        private static partial Regex UpAndClear();

        [GeneratedRegex("\e\\[[0-9;]*[A-Za-z]")]
        private static partial Regex Codes();
    }
}
