using GradScope.Notebooks;

namespace GradScope.Cli.Tests;

/// <summary>Live training in cells of the tool's own host, and what a saved notebook keeps of it.</summary>
public sealed class LiveCellTests : IDisposable
{
    private const string Setup = """
        #r "nuget: GradScope.Interactive"
        using GradScope;
        var names = new Names(new[] { "ana", "ann", "nan", "anna", "nana", "dan", "dana", "nadan" });
        var model = new MiniTransformer(vocabSize: names.VocabSize, contextLength: 6);
        """;

    private readonly CSharpSession session = new(new() { Packages = HostPackages.All });

    public void Dispose() => session.Dispose();

    [Fact]
    public async Task A_cell_that_trains_has_one_output_which_ends_as_the_finished_figure()
    {
        await RunAsync(Setup);
        var outputs = await RunAsync("await model.TrainAsync(names, steps: 300);");
        var display = Assert.Single(outputs.OfType<CellOutput.Display>());
        var updates = outputs.OfType<CellOutput.Update>().ToList();
        Assert.Equal(outputs.Count, 1 + updates.Count);
        Assert.All(updates, update => Assert.Equal(display.Id, update.Id));
        Assert.Contains("step 0 of 300", Text(display.Data));
        Assert.Contains("300 steps", Text(updates[^1].Data));

        // Run again it goes on.
        Assert.Contains("310 steps", Text((await RunAsync("await model.TrainAsync(names, steps: 10);")).OfType<CellOutput.Update>().Last().Data));
    }

    [Fact]
    public async Task An_interrupted_cell_stops_after_the_step_and_shows_what_was_reached()
    {
        await RunAsync(Setup);
        using var stop = new CancellationTokenSource();
        List<CellOutput> outputs = [];
        var result = await session.ExecuteAsync("await model.TrainAsync(names, steps: 100_000_000);", output =>
        {
            lock (outputs)
            {
                outputs.Add(output);
                if (outputs.Count == 3)
                {
                    stop.Cancel();
                }
            }
        }, stop: stop.Token);

        Assert.True(result.WasStopped);
        var last = Text(outputs.OfType<CellOutput.Update>().Last().Data);
        var steps = await StepsAsync();
        Assert.Contains($"Training: names: {steps} steps", last);

        // Nothing trains on in the background, and running again goes on.
        await RunAsync("await model.TrainAsync(names, steps: 5);");
        Assert.Equal(int.Parse(steps, System.Globalization.CultureInfo.InvariantCulture) + 5, int.Parse(await StepsAsync(), System.Globalization.CultureInfo.InvariantCulture));
    }

    [Fact]
    public async Task The_saved_notebook_keeps_exactly_the_finished_figure()
    {
        var notebook = NotebookDocument.Create("live", [(CellKind.Code, Setup, null), (CellKind.Code, "await model.TrainAsync(names, steps: 200);", null)]);
        var run = await new NotebookRunner(new() { Packages = HostPackages.All }).RunAsync(notebook, AppContext.BaseDirectory, new());
        Assert.True(run.Passed, string.Join('\n', run.Failures));
        var output = Assert.Single(notebook.Cells[1].Outputs)!;
        Assert.Equal("display_data", (string?)output["output_type"]);
        Assert.Contains("Training: names: 200 steps", output["data"]!["text/plain"]!.ToJsonString());
        Assert.Contains("<svg", output["data"]!["text/html"]!.ToJsonString(new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }));
    }

    [Fact]
    public async Task Magic_and_charts_are_there()
    {
        await RunAsync(Setup);
        Assert.Matches(@"^GradScope \d", Assert.Single((await RunAsync("#!gradscope")).OfType<CellOutput.Stream>()).Text);
        await RunAsync("model.TrainerFor(names).Train(5);");
        var outputs = await RunAsync("using XPlot.Plotly;\nPlotlyChart chart = model.TrainerFor(names).Run.LossChart();\nchart.WithTitle(\"Mine\");\nchart");
        Assert.True(Assert.Single(outputs.OfType<CellOutput.Result>()).Data.TryGet("text/html", out var html));
        Assert.Contains("Mine", html);
        Assert.Contains("<svg", html);
        Assert.Contains("gs-plotly", html);
        Assert.Empty((await RunAsync("#r \"nuget: XPlot.Plotly\"\nnew PlotlyChart() is XPlot.Plotly.PlotlyChart")).OfType<CellOutput.Error>());
    }

    private async Task<string> StepsAsync() => Assert.Single((await RunAsync("Console.Write(model.TrainerFor(names).Steps);")).OfType<CellOutput.Stream>()).Text;

    private static string Text(MimeBundle bundle)
    {
        Assert.True(bundle.TryGet("text/plain", out var text));
        return text!;
    }

    private async Task<List<CellOutput>> RunAsync(string code)
    {
        List<CellOutput> outputs = [];
        var result = await session.ExecuteAsync(code, output =>
        {
            lock (outputs)
            {
                outputs.Add(output);
            }
        });
        Assert.True(result.Error is null, result.Error?.Message);
        return outputs;
    }
}
