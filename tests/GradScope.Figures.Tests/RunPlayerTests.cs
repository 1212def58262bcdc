using System.Globalization;
using System.Text;
using GradScope.Testing;
using Microsoft.Playwright;

namespace GradScope.Figures.Tests;

/// <summary>The run player operated in a browser, and what it shows held against the recorded run.</summary>
public sealed class RunPlayerTests(BrowserTests.Browser browser) : IClassFixture<BrowserTests.Browser>
{
    private static readonly Run run = Trained.Played.Run;

    [RequiresFact(Tool.Chromium)]
    public async Task Everything_follows_one_cursor()
    {
        var page = await browser.ShowAsync(run.ToPlayer().Html);
        await ShowsAsync(page, 200);

        await page.Locator(".gs-view").First.FocusAsync();
        await page.Keyboard.PressAsync("Home");
        await ShowsAsync(page, 1);
        foreach (var _ in Enumerable.Range(0, 12)) await page.Keyboard.PressAsync("ArrowRight");
        await ShowsAsync(page, 13);
        await page.Keyboard.PressAsync("ArrowLeft");
        await ShowsAsync(page, 12);
        await page.Keyboard.PressAsync("End");
        await ShowsAsync(page, 200);

        await page.GetByRole(AriaRole.Slider, new() { Name = "Step" }).FillAsync("66");
        await ShowsAsync(page, 67);
        await page.GetByRole(AriaRole.Button, new() { Name = "step back" }).ClickAsync();
        await ShowsAsync(page, 66);
        await page.CloseAsync();
    }

    [RequiresFact(Tool.Chromium)]
    public async Task It_plays_to_the_end_and_pauses()
    {
        var page = await browser.ShowAsync(run.ToPlayer().Html);
        var (play, pause) = (page.GetByRole(AriaRole.Button, new() { Name = "Play", Exact = true }), page.GetByRole(AriaRole.Button, new() { Name = "Pause" }));

        // At half speed the run lasts the better part of a minute: it is not over before it was looked at.
        await page.GetByLabel("Speed").SelectOptionAsync("0.5");
        await page.Locator(".gs-view").First.PressAsync("Space");
        await Assertions.Expect(pause).ToBeVisibleAsync();
        await Assertions.Expect(Slot(page, "metric").First).Not.ToHaveTextAsync("200");
        await page.Keyboard.PressAsync("Space");
        await Assertions.Expect(play).ToBeVisibleAsync();

        await page.GetByLabel("Speed").SelectOptionAsync("8");
        await page.GetByRole(AriaRole.Slider, new() { Name = "Step" }).FillAsync("190");
        await play.ClickAsync();
        await Assertions.Expect(Slot(page, "metric").First).ToHaveTextAsync("200");
        await Assertions.Expect(play).ToBeVisibleAsync();
        await ShowsAsync(page, 200);
        await page.CloseAsync();
    }

    [RequiresFact(Tool.Chromium)]
    public async Task Parameter_layer_and_head_are_chosen()
    {
        var page = await browser.ShowAsync(run.ToPlayer(new() { Layer = 0, Head = 0 }).Html);
        var parameter = run.ParameterNames.IndexOf("blocks.1.mlp.down.weight");
        var before = await Slot(page, "curve").GetAttributeAsync("d");
        await page.GetByLabel("Parameter").SelectOptionAsync("blocks.1.mlp.down");
        await Assertions.Expect(Slot(page, "name")).ToHaveTextAsync("‖gradient‖ of blocks.1.mlp.down (log)");
        await Assertions.Expect(Slot(page, "gradient")).ToHaveTextAsync(BrowserTests.Shown(run.GradientNorms[^1][parameter]));
        await Assertions.Expect(Slot(page, "weights")).ToHaveTextAsync(BrowserTests.Shown((float)run.Frames[^1].Model.Parameters[parameter].ValueNorm));
        Assert.NotEqual(before, await Slot(page, "curve").GetAttributeAsync("d"));

        await page.GetByLabel("Layer").SelectOptionAsync("layer 1");
        await page.GetByLabel("Head").SelectOptionAsync("head 1");
        await page.GetByRole(AriaRole.Slider, new() { Name = "Step" }).FillAsync("104");
        await Assertions.Expect(Slot(page, "which")).ToHaveTextAsync("layer 1 head 1");
        var layer = run.Frames.Last(f => f.Step <= 105).Attention().Layers[1];
        await ReadsAsync(page, "A", (5, 2), (8, 8), $"A[query 5 “l”, key 2 “h”]\nvalue {BrowserTests.Shown(layer.Pattern[1, 5, 2])}\n∂L/∂A {BrowserTests.Shown(layer.PatternGrad![1, 5, 2])}");
        await ReadsAsync(page, "G", (7, 3), (8, 8), $"A[query 7 “e”, key 3 “a”]\nvalue {BrowserTests.Shown(layer.Pattern[1, 7, 3])}\n∂L/∂A {BrowserTests.Shown(layer.PatternGrad![1, 7, 3])}");
        await ReadsAsync(page, "A", (1, 4), (8, 8), "A[query 1 “c”, key 4 “r”]\nmasked: not allowed");
        await page.CloseAsync();
    }

    [RequiresFact(Tool.Chromium)]
    public async Task A_parameters_numbers_follow_the_cursor_in_both_drawings()
    {
        var player = run.ToPlayer();
        var kept = Assert.Single(ContentTests.Texts(player), t => t.StartsWith("A parameter's numbers and their gradients are kept of every 2nd picture", StringComparison.Ordinal));
        Assert.NotNull(kept);
        foreach (var width in (int[])[1100, 360])
        {
            var page = await browser.ShowAsync(player.Html, width);
            var drawing = page.Locator(width > 560 ? ".gs-drawn > svg:not(.gs-narrow)" : ".gs-drawn > .gs-narrow");
            await Assertions.Expect(drawing).ToBeVisibleAsync();
            foreach (var (name, step, picture) in ((string, int, int)[])[("embed.weight", 200, 200), ("blocks.0.attn.wq.weight", 119, 100), ("blocks.1.ln2.weight", 19, 0)])
            {
                await page.GetByLabel("Parameter").SelectOptionAsync(name.Replace(".weight", ""));
                await page.GetByRole(AriaRole.Slider, new() { Name = "Step" }).FillAsync($"{step - 1}");
                await Assertions.Expect(drawing.Locator("[data-run=weightsname]")).ToHaveTextAsync($"{name.Replace(".weight", "")} at step {picture}");
                var node = run.Frames.Single(f => f.Step == picture).Tape[name];
                var (rows, columns) = (node.Shape.Rows, node.Shape.Columns);
                foreach (var of in (string[])["V", "D"])
                {
                    var hit = drawing.Locator($"[data-of={of}]");
                    await hit.ScrollIntoViewIfNeededAsync();
                    var box = (await hit.BoundingBoxAsync())!;
                    var (row, column) = (rows / 2, columns / 3);
                    await page.Mouse.MoveAsync(box.X + box.Width * (column + 0.5f) / columns, box.Y + box.Height * (row + 0.5f) / rows);
                    var at = node.Shape.Rank < 2 ? $"{column}" : name == "embed.weight" ? $"token {row} “{run.Frames[0].Vocabulary[row]}”, {column}" : $"{row}, {column}";
                    var index = row * columns + column;
                    await Assertions.Expect(page.Locator(".gs-tip")).ToHaveTextAsync(
                        $"{name.Replace(".weight", "")}[{at}]\nvalue {BrowserTests.Shown(node.Value!.Values[index])}\ngradient {BrowserTests.Shown(node.Grad!.Values[index])}", new() { UseInnerText = true });
                }
            }

            await browser.CloseAsync(page);
        }
    }

    [Theory]
    [InlineData("run-long", "Of 5,000 steps the cursor stops at every 3rd, and the last.")]
    [InlineData("run-deep", "256 × 256 numbers drawn as 8 × 8 cells")]
    [InlineData("run-deep", "The first 16 of 256 positions have their prediction shown.")]
    [InlineData("run-without-frames", "No picture of the model was recorded")]
    [InlineData("run-without-parameters", "The pictures hold the parameters' norms without their numbers")]
    [InlineData("run-empty", "No step was made yet.")]
    public void What_is_thinned_or_missing_is_told(string name, string told) => Assert.Contains(told, string.Join(' ', ContentTests.Texts(Gallery.Draw(name))));

    [Fact]
    public void A_picture_of_every_step_of_200_is_at_most_a_megabyte()
    {
        var all = Enumerable.Range(0, 201).Select(i => run.Frames[i / 10] with { Step = i });
        var size = Encoding.UTF8.GetByteCount((run with { Frames = [.. all.Select((f, i) => Synthetic.With(f, v => v + i * 1e-3f, g => g * (1 + i * 1e-3f)))] }).ToPlayer().Html);
        Assert.True(size <= 1_000_000, $"The run player has {size:N0} bytes; it should have 1,000,000 or fewer.");
        Assert.True(Encoding.UTF8.GetByteCount(run.ToPlayer().Html) <= 500_000);
        Assert.True(Encoding.UTF8.GetByteCount((run with { Frames = [.. run.Frames.Select(Synthetic.WithoutParameters)] }).ToPlayer().Html) <= 150_000);
    }

    [Fact]
    public void Norms_of_other_steps_are_refused() =>
        Assert.Contains("one of each a step", Assert.Throws<ArgumentException>(() => (run with { GradientNorms = [] }).ToPlayer()).Message);

    /// <summary>The three digits that are kept of a share, in per cent.</summary>
    private static string Percent(double share) => FormattableString.Invariant($"{100 * double.Parse(BrowserTests.Shown((float)share), CultureInfo.InvariantCulture):0.#} %");

    private static ILocator Drawing(IPage page) => page.Locator(".gs-drawn > svg:not(.gs-narrow)");

    private static ILocator Slot(IPage page, string name) => Drawing(page).Locator($"[data-run={name}] > *");

    /// <summary>Every part of the player shows what was recorded at the step, or in the latest picture before it.</summary>
    private static async Task ShowsAsync(IPage page, int step)
    {
        var metrics = run.Metrics[step - 1];
        var frame = run.Frames.Last(f => f.Step <= step);
        var (flow, predictions) = (frame.GradientFlow(), frame.Predictions().Positions);
        await Assertions.Expect(Slot(page, "metric")).ToHaveTextAsync(
        [
            $"{step}", BrowserTests.Shown((float)metrics.Loss), metrics.ValidationLoss is { } v ? BrowserTests.Shown((float)v) : "–", Percent(metrics.Accuracy),
            BrowserTests.Shown((float)metrics.GradientNorm), BrowserTests.Shown((float)metrics.UpdateRatio), BrowserTests.Shown((float)metrics.LearningRate),
        ]);
        await Assertions.Expect(Slot(page, "picture")).ToHaveTextAsync($"at step {frame.Step} · loss of this input {Numbers.Short(frame.Loss)} nats");
        await Assertions.Expect(Slot(page, "norm")).ToHaveTextAsync(flow.Stations.Reverse().Select(s => Numbers.Short(s.GradNorm!.Value)));
        await Assertions.Expect(Slot(page, "share")).ToHaveTextAsync(flow.Branches.Reverse().Select(b => Numbers.Percent(b.BranchShare!.Value)));
        await Assertions.Expect(Slot(page, "chance")).ToHaveTextAsync(predictions.Select(p => Numbers.Percent(p.Probabilities.Values[p.TargetId!.Value])));
        await Assertions.Expect(Slot(page, "mark")).ToHaveTextAsync(predictions.Select(p => p.IsRight == true ? "✓" : "✗"));
        await Assertions.Expect(page.Locator("[role=status]")).ToHaveTextAsync($"step {step} of 200: loss {BrowserTests.Shown((float)metrics.Loss)}, accuracy {Percent(metrics.Accuracy)}, gradient norm {BrowserTests.Shown((float)metrics.GradientNorm)}");
        // The cursor stands among the steps' ticks.
        var ends = await Drawing(page).EvaluateAsync<double[]>("svg => ['0', '200'].map(step => [...svg.querySelectorAll('[data-ticks] text')].find(t => t.textContent === step)).map(t => Number(t.getAttribute('x')) + Number(t.parentNode.getAttribute('x')))");
        var cursor = await Drawing(page).Locator("[data-run=cursor]").GetAttributeAsync("transform");
        Assert.Equal(ends[0] + (ends[1] - ends[0]) * step / 200.0, double.Parse(cursor!.Split('(', ' ')[1], CultureInfo.InvariantCulture), 1);
    }

    private static async Task ReadsAsync(IPage page, string map, (int Row, int Column) cell, (int Rows, int Columns) size, string text)
    {
        var ((row, column), (rows, columns)) = (cell, size);
        var box = (await Drawing(page).Locator($"[data-of={map}]").BoundingBoxAsync())!;
        await page.Mouse.MoveAsync(box.X + box.Width * (column + 0.5f) / columns, box.Y + box.Height * (row + 0.5f) / rows);
        await Assertions.Expect(page.Locator(".gs-tip")).ToHaveTextAsync(text, new() { UseInnerText = true });
    }
}
