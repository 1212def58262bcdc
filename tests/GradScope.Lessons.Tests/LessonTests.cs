using System.Text.Json.Nodes;

namespace GradScope.Lessons.Tests;

/// <summary>Every notebook is run as the command runs it, and what it shows is looked at.</summary>
public class LessonTests
{
    private static readonly string Notebooks = Path.Combine(Repository.Root, "notebooks");

    public static TheoryData<string> All => [.. Directory.EnumerateFiles(Notebooks, "*.ipynb").Select(path => Path.GetFileNameWithoutExtension(path)).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(All))]
    public async Task A_lesson_runs_from_top_to_bottom_and_shows_figures(string lesson)
    {
        var (outputs, pages) = await RunAsync(lesson);

        Assert.DoesNotContain(outputs, output => (string?)output["output_type"] == "error");
        var figures = outputs.Where(output => Text(output, "text/html").Contains("<svg", StringComparison.Ordinal)).ToList();
        Assert.True(figures.Count >= 3, $"{lesson} shows {figures.Count} figures");
        Assert.All(figures, figure => Assert.NotEmpty(Text(figure, "text/plain")));
        Assert.DoesNotContain("GradScope could not draw", pages);
    }

    [Fact]
    public async Task The_first_lesson_arrives_at_micrograds_numbers()
    {
        var (outputs, _) = await RunAsync("01-a-number-with-a-gradient");
        Assert.Contains(outputs, output => Stream(output).Contains("g = 24.704082,  dg/dp = 138.83382,  dg/dq = 645.5773", StringComparison.Ordinal));
        Assert.Contains(outputs, output => Text(output, "text/plain").Contains("gradients agree with differences", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_second_lesson_beats_the_bigram_and_keeps_one_output_for_its_training()
    {
        var (outputs, _) = await RunAsync("02-a-transformer-learns-names");
        Assert.Contains(outputs, output => Stream(output).Contains("bigram counts  2.4540 nats", StringComparison.Ordinal));
        var below = outputs.Select(Stream).Single(text => text.Contains("below the bigram's", StringComparison.Ordinal));
        var difference = double.Parse(below.Split("that is ")[1].Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture);
        Assert.True(difference > 0.15, below);

        var training = Assert.Single(outputs, output => Text(output, "text/plain").StartsWith("Training: names", StringComparison.Ordinal));
        Assert.Contains("bigram counts 2.454", Text(training, "text/html"));
        Assert.DoesNotContain("<progress", Text(training, "text/html"));
    }

    [Theory]
    [MemberData(nameof(All))]
    public void A_lesson_is_committed_without_outputs_and_names_its_kernel(string lesson)
    {
        var notebook = JsonNode.Parse(File.ReadAllText(Path.Combine(Notebooks, lesson + ".ipynb")))!;
        Assert.Equal(".net-csharp", (string?)notebook["metadata"]!["kernelspec"]!["name"]);
        Assert.Equal(5, (int)notebook["nbformat_minor"]!);
        Assert.All(notebook["cells"]!.AsArray(), cell => Assert.Empty(cell!["outputs"]?.AsArray() ?? []));
    }

    private static readonly Dictionary<string, (IReadOnlyList<JsonNode> Outputs, string Page)> runs = [];
    private static readonly SemaphoreSlim turn = new(1);

    /// <summary>Runs a lesson through the command, once for all tests.</summary>
    private static async Task<(IReadOnlyList<JsonNode> Outputs, string Page)> RunAsync(string lesson)
    {
        await turn.WaitAsync();
        try
        {
            if (runs.TryGetValue(lesson, out var run))
            {
                return run;
            }

            using var folder = new TemporaryFolder();
            var (output, error) = (new StringWriter(), new StringWriter());
            var code = await Cli.CommandLine.InvokeAsync(
                ["run", Path.Combine(Notebooks, lesson + ".ipynb"), "--out", folder.Path, "--html", folder.Path], output, error);
            Assert.True(code == 0, error.ToString());
            var cells = JsonNode.Parse(File.ReadAllText(Path.Combine(folder.Path, lesson + ".ipynb")))!["cells"]!.AsArray();
            return runs[lesson] = (
                [.. cells.SelectMany(cell => cell!["outputs"]?.AsArray() ?? []).Select(o => o!)],
                File.ReadAllText(Path.Combine(folder.Path, lesson + ".html")));
        }
        finally
        {
            turn.Release();
        }
    }

    private static string Text(JsonNode output, string mimeType) => Join(output["data"]?[mimeType]);

    private static string Stream(JsonNode output) => Join(output["text"]);

    private static string Join(JsonNode? lines) => lines switch
    {
        JsonArray array => string.Concat(array.Select(line => (string?)line)),
        null => "",
        _ => (string)lines!,
    };

    private sealed class TemporaryFolder : IDisposable
    {
        public string Path { get; } = Directory.CreateTempSubdirectory("gradscope-lessons").FullName;

        public void Dispose() => Directory.Delete(Path, recursive: true);
    }
}
