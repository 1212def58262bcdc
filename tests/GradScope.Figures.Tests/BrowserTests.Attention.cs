using GradScope.Testing;
using Microsoft.Playwright;

namespace GradScope.Figures.Tests;

// Attention's controls by mouse and keys, and the cells of drawn maps, against what was recorded.
public sealed partial class BrowserTests
{
    [RequiresFact(Tool.Chromium)]
    public async Task Attention_switches_layer_head_query_and_what_is_shown()
    {
        var frame = Trained.Plain.Frame.Attention();
        var page = await browser.ShowAsync(frame.ToFigure(new() { Layer = 0, Head = 1 }).Html);
        var what = page.Locator(".gs-what");
        await Assertions.Expect(what).ToHaveTextAsync("A of layer 0 head 1: 0 to 1");
        await Table(0, 1, frame.Tokens.Length - 1);

        await page.GetByLabel("layer", new() { Exact = true }).SelectOptionAsync("1");
        await page.GetByLabel("head", new() { Exact = true }).SelectOptionAsync("0");
        await page.GetByLabel("query", new() { Exact = true }).SelectOptionAsync(new SelectOptionValue { Index = 3 });
        await Table(1, 0, 3);

        // Each of the four, its scale and a cell of it.
        var layer = frame.Layers[1];
        foreach (var (name, tensor) in ((string, Tensor)[])[("scores", layer.Scores), ("∂L/∂A", layer.PatternGrad!), ("∂L/∂scores", layer.ScoresGrad!), ("A", layer.Pattern)])
        {
            await page.GetByRole(AriaRole.Button, new() { Name = name, Exact = true }).PressAsync("Enter");
            var scale = name == "A" ? "0 to 1" : "±" + Shown((float)Cells.OfAttention(tensor, 0, causal: true).Largest);
            await Assertions.Expect(what).ToHaveTextAsync($"{name} of layer 1 head 0: {scale}");
            await Hover(2, 5);
            await Assertions.Expect(page.Locator(".gs-tip")).ToHaveTextAsync($"{name}[query 5 “{frame.Tokens[5]}”, key 2 “{frame.Tokens[2]}”]\n{name} {Shown(tensor[0, 5, 2])}", new() { UseInnerText = true });
            await Hover(6, 5);
            await Assertions.Expect(page.Locator(".gs-tip")).ToContainTextAsync("masked");
        }

        // A row is chosen by a click, a head by its small map.
        await Hover(1, 6);
        await page.Mouse.DownAsync();
        await page.Mouse.UpAsync();
        await Table(1, 0, 6);
        await page.GetByRole(AriaRole.Button, new() { Name = "layer 0 head 0" }).PressAsync("Space");
        await Table(0, 0, 6);
        await browser.CloseAsync(page);

        async Task Hover(int key, int query)
        {
            var box = (await page.Locator(".gs-two .hit").BoundingBoxAsync())!;
            await page.Mouse.MoveAsync(box.X + box.Width * (key + 0.5f) / frame.Tokens.Length, box.Y + box.Height * (query + 0.5f) / frame.Tokens.Length);
        }

        async Task Table(int l, int h, int query)
        {
            var its = frame.Layers[l];
            var expected = Enumerable.Range(0, query + 1).OrderByDescending(k => its.Pattern[h, query, k])
                .Select(k => $"{k} “{frame.Tokens[k]}”{Shown(its.Scores[h, query, k])}{Shown(its.Pattern[h, query, k])}{Shown(its.PatternGrad![h, query, k])}{Shown(its.ScoresGrad![h, query, k])}");
            await Assertions.Expect(page.Locator(".gs-two caption")).ToContainTextAsync($"query {query} “{frame.Tokens[query]}”");
            Assert.Equal(expected.Order(), (await page.Locator(".gs-two tbody tr").AllTextContentsAsync()).Order());
        }
    }

    [RequiresFact(Tool.Chromium)]
    public async Task Maps_of_flow_and_history_are_read()
    {
        var frame = Trained.Plain.Frame;
        var page = await browser.ShowAsync(frame.GradientFlow().ToFigure().Html);
        await Hover(page, 0, 7.5f / 8, 3.5f / 8);
        await Assertions.Expect(page.Locator(".gs-tip")).ToContainTextAsync("masked");
        await Hover(page, 0, 1.5f / 8, 3.5f / 8);
        var layer = frame.Attention().Layers[0];
        await Assertions.Expect(page.Locator(".gs-tip")).ToContainTextAsync($"query 3 “{frame.Tokens[3]}”, key 1 “{frame.Tokens[1]}”]\nvalue {Shown(layer.Pattern[0, 3, 1])}\n∂L/∂A {Shown(layer.PatternGrad![0, 3, 1])}", new() { UseInnerText = true });
        await browser.CloseAsync(page);

        var run = Trained.Plain.Run;
        page = await browser.ShowAsync(run.ToGradientHistoryFigure().Html);
        await Hover(page, 0, 0.5f / run.GradientNorms.Length, 2.5f / run.ParameterNames.Length);
        await Assertions.Expect(page.Locator(".gs-tip")).ToContainTextAsync($"parameter 2 “{run.ParameterNames[2]}”, step {run.Metrics[0].Step}]\nvalue {Shown(run.GradientNorms[0][2])}", new() { UseInnerText = true });
        await browser.CloseAsync(page);

        static async Task Hover(IPage page, int map, float x, float y)
        {
            var target = page.Locator($"[data-map='{map}']").First;
            await target.ScrollIntoViewIfNeededAsync();
            var box = (await target.BoundingBoxAsync())!;
            await page.Mouse.MoveAsync(box.X + box.Width * x, box.Y + box.Height * y);
        }
    }
}
