using System.Text.Json;
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

    [RequiresFact(Tool.Chromium)]
    public async Task In_a_narrow_pane_its_panels_stand_below_each_other_and_are_legible()
    {
        // How far the page and the box scroll sideways, the smallest text in pixels, how many left edges panels have, and what is to be read.
        const string Measure = """
            () => {
              const view = document.querySelector('.gs-drawn');
              const drawings = [...view.children].filter(svg => svg.getBoundingClientRect().width > 0);
              const size = svg => Math.min(...[...svg.querySelectorAll('text')].map(t => parseFloat(getComputedStyle(t).fontSize))) * svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
              const panels = drawings.filter(svg => /^(loss|accuracy|gradient norm|gradient flow)$/.test(svg.querySelector('title').textContent));
              return {
                scrolled: document.documentElement.scrollWidth - document.documentElement.clientWidth + view.scrollWidth - view.clientWidth,
                smallest: Math.min(...drawings.map(size)),
                columns: new Set(panels.map(svg => Math.round(svg.getBoundingClientRect().left))).size,
                names: drawings.map(svg => svg.querySelector('title').textContent).join('|'),
              };
            }
            """;
        List<string> problems = [];
        var names = Names.Load(Path.Combine(Repository.Root, "notebooks", "data", "names.txt"));
        foreach (var heads in (int[])[2, 12])
        {
            var trainer = new Trainer(new MiniTransformer(names.VocabSize, modelDim: 24, heads, layers: 2, contextLength: 16), names) { Probe = "isabella" };
            var host = new RememberingHost();
            await trainer.TrainAsync(40, new() { Bridge = host, Budget = new(TimeProvider.System) });
            var first = host.Only.Views[0];
            foreach (var view in (LiveView[])[first, host.Only.Views.Last(v => !v.IsFinished)])
            {
                List<string> read = [];
                foreach (var (width, columns) in ((int, int)[])[(680, 2), (520, 2), (470, 1), (380, 1), (344, 1)])
                {
                    var page = await browser.OpenAsync($"<!doctype html><meta charset=utf-8><title>live</title><body style='margin:8px'>{view.Html}", problems);
                    await page.SetViewportSizeAsync(width, 900);
                    var seen = (await page.EvaluateAsync<JsonElement>(Measure))!;
                    Assert.Equal(0, seen.GetProperty("scrolled").GetDouble());
                    Assert.InRange(seen.GetProperty("smallest").GetDouble(), 8, 16);
                    if (view != first) Assert.Equal(columns, seen.GetProperty("columns").GetInt32());
                    read.Add(seen.GetProperty("names").GetString()!);
                    if (view != first) await page.ScreenshotAsync(new() { Path = Browser.Artifact($"live-{heads}-{width}.png"), FullPage = true });
                    await page.CloseAsync();
                }

                // Nothing is left out, and nothing is there twice.
                Assert.Single(read.Distinct());
                if (view != first) Assert.Equal(["Training: names", "loss", "accuracy", "gradient norm", "gradient flow", "attention on the probe", "layer 0 head 0"], read[0].Split('|').Take(7));
            }
        }

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
