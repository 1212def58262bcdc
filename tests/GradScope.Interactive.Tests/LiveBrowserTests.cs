using GradScope.Testing;
using Microsoft.Playwright;

namespace GradScope.Interactive.Tests;

/// <summary>A live cell in a real browser: its one output takes the updates as they come. The strip of what was seen is kept as live.png.</summary>
public sealed class LiveBrowserTests(Browser browser) : IClassFixture<Browser>
{
    [RequiresFact(Tool.Chromium)]
    public async Task The_output_of_a_cell_lives_in_place_and_ends_as_the_finished_figure()
    {
        List<string> problems = [];
        var page = await browser.OpenAsync("<!doctype html><meta charset=utf-8><title>live</title><body style='margin:8px'><div id=output></div>", problems);
        await page.SetViewportSizeAsync(680, 780);
        var names = Names.Load(Path.Combine(Repository.Root, "notebooks", "data", "names.txt"));
        var trainer = new Trainer(new MiniTransformer(names.VocabSize, modelDim: 64, heads: 4, layers: 2, contextLength: 16), names)
        {
            Optimizer = new AdamW(2e-3f),
            Probe = "isabella",
        };
        var cell = new Cell(page);
        await trainer.TrainAsync(200, new() { Bridge = cell, Budget = new(TimeProvider.System) });

        Assert.Equal(1, await page.Locator("#output > .gs").CountAsync());
        Assert.Contains("Training: names", await page.Locator("#output").InnerTextAsync());
        Assert.Contains("200 steps", await page.Locator("#output svg").First.TextContentAsync());
        Assert.True(cell.Seen.Count >= 3, $"{cell.Seen.Count} states were seen.");

        // Begin, on the way, end.
        int[] chosen = [1, cell.Seen.Count / 3, 2 * cell.Seen.Count / 3, cell.Seen.Count - 1];
        var strip = await browser.OpenAsync(
            "<!doctype html><meta charset=utf-8><title>strip</title><body style='margin:0;display:flex;gap:8px;background:#d0d7de'>"
            + string.Concat(chosen.Distinct().Select(i => $"<img width=480 src=\"data:image/png;base64,{Convert.ToBase64String(cell.Seen[i])}\">")), problems);
        await strip.SetViewportSizeAsync(480 * chosen.Distinct().Count() + 8 * (chosen.Distinct().Count() - 1), 551);
        await strip.ScreenshotAsync(new() { Path = Browser.Artifact("live.png") });
        Assert.Empty(problems);
    }

    private sealed class Cell(IPage page) : IDisplayBridge, ILiveOutput
    {
        public List<byte[]> Seen { get; } = [];

        public ILiveOutput Show(object value)
        {
            Update(value);
            return this;
        }

        public void Update(object value) => UpdateAsync((LiveView)value).GetAwaiter().GetResult();

        private async Task UpdateAsync(LiveView view)
        {
            await page.EvaluateAsync("html => { document.getElementById('output').innerHTML = html; }", view.Html).ConfigureAwait(false);
            Seen.Add(await page.ScreenshotAsync().ConfigureAwait(false));
        }
    }
}
