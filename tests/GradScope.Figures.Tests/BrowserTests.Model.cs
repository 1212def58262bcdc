using GradScope.Testing;
using Microsoft.Playwright;

namespace GradScope.Figures.Tests;

/// <summary>A model whose blocks are folded and unfolded.</summary>
public sealed partial class BrowserTests
{
    // Of each copy: how high it is in the drawing's own units, and all texts that can be seen.
    private const string PiecesSeen = """
        () => [...document.querySelectorAll('.gs')].map(root => {
          const drawings = [...root.querySelectorAll('.gs-drawn>svg')].filter(svg => svg.checkVisibility());
          const texts = drawings.flatMap(svg => [...svg.querySelectorAll('text:not([aria-hidden])')]).filter(text => text.getBoundingClientRect().width > 0);
          const height = drawings.reduce((sum, svg) => sum + svg.getBoundingClientRect().height / svg.getBoundingClientRect().width * svg.viewBox.baseVal.width, 0);
          return `${height.toFixed(1)}\n${texts.map(text => [...text.childNodes].filter(n => n.nodeType === 3).map(n => n.data).join('')).join('\n')}`;
        })
        """;

    private const string Markup = "() => document.querySelector('.gs').outerHTML";

    [RequiresFact(Tool.Chromium)]
    public async Task A_block_is_folded_and_unfolded_by_pointer_and_by_keys()
    {
        foreach (var (model, width) in ((ModelFrame, int)[])[(Trained.Plain.Frame.Model, 1000), (Trained.Plain.Frame.Model, 380), (Trained.Deep.Model, 1000), (Trained.Deep.Model, 380)])
        {
            var html = model.ToFigure().Html;
            var page = await browser.ShowAsync(html + html, width);
            var (first, before) = (await page.EvaluateAsync<string[]>(PiecesSeen), await page.EvaluateAsync<string>(Markup));
            Assert.Equal(first[0], first[1]);
            var (layers, opened) = (model.Config.LayerCount, model.Config.LayerCount > 3 ? 1 : model.Config.LayerCount);
            var figure = page.Locator(".gs").First;
            await Assertions.Expect(figure.GetByRole(AriaRole.Button, new() { Expanded = true })).ToHaveCountAsync(opened);
            await Assertions.Expect(figure.GetByRole(AriaRole.Button, new() { Expanded = false })).ToHaveCountAsync(layers - opened);

            // By pointer: the last block, which is open where there are few.
            var last = figure.GetByRole(AriaRole.Button, new() { Name = $"block {layers - 1}, {Numbers.Count(model.CountBelow($"blocks.{layers - 1}"))} parameters" });
            await last.ClickAsync();
            await Assertions.Expect(last).ToHaveAttributeAsync("aria-expanded", opened == layers ? "false" : "true");
            var turned = await page.EvaluateAsync<string[]>(PiecesSeen);
            Assert.Equal(first[1], turned[1]);
            Assert.Equal(PartsHeight(model), Math.Abs(Height(first[0]) - Height(turned[0])), 0.2);
            Assert.Equal(opened == layers ? layers - 1 : 2, Count(turned[0], "wq"));
            Assert.Equal(opened == layers ? 1 : layers - 2, Count(turned[0], $"{model.Config.HeadCount} heads + mlp {model.Config.HiddenDim}"));
            foreach (var scheme in (ColorScheme[])[ColorScheme.Light, ColorScheme.Dark])
            {
                await page.EmulateMediaAsync(new() { ColorScheme = scheme });
                await figure.ScreenshotAsync(new() { Path = Path.Combine(Repository.Root, "artifacts", "figures", $"folded-{layers}-{width}-{scheme}.png".ToLowerInvariant()) });
            }

            // By keys: back, and the first one there and back; where the focus is can be seen.
            await last.FocusAsync();
            await page.Keyboard.PressAsync("Enter");
            Assert.Equal(first, await page.EvaluateAsync<string[]>(PiecesSeen));
            await page.Keyboard.PressAsync("Shift+Tab");
            for (var i = layers - 2; i > 0; i--) await page.Keyboard.PressAsync("Shift+Tab");
            var focused = page.Locator("*:focus");
            await Assertions.Expect(focused).ToHaveAccessibleNameAsync($"block 0, {Numbers.Count(model.CountBelow("blocks.0"))} parameters");
            Assert.NotEqual("none", await focused.EvaluateAsync<string>("e => getComputedStyle(e).stroke"));
            await page.Keyboard.PressAsync("Space");
            await Assertions.Expect(focused).ToHaveAttributeAsync("aria-expanded", "false");
            Assert.Equal(opened - 1, Count((await page.EvaluateAsync<string[]>(PiecesSeen))[0], "wq"));
            await page.Keyboard.PressAsync("Space");
            Assert.Equal(first, await page.EvaluateAsync<string[]>(PiecesSeen));
            Assert.Equal(before, await page.EvaluateAsync<string>(Markup));
            await browser.CloseAsync(page);
        }

        // The parts of a block: attention with 8 rows, 12 between, mlp with 4, 6 below.
        static double PartsHeight(ModelFrame model) => 28 + 8 * 17 + 6 + 12 + 28 + 4 * 17 + 6 + 6;
    }

    [RequiresFact(Tool.Chromium, Tool.AxeCore)]
    public async Task All_blocks_are_folded_and_unfolded_at_once_and_paper_shows_them_as_drawn()
    {
        foreach (var model in (ModelFrame[])[Trained.Plain.Frame.Model, Trained.Deep.Model])
        {
            var html = $"<main>{model.ToFigure().Html}</main>";
            var page = await browser.ShowAsync(html);
            await page.EmulateMediaAsync(new() { Media = Media.Print });
            var onPaper = await page.EvaluateAsync<string[]>(PiecesSeen);
            await page.EmulateMediaAsync(new() { Media = Media.Screen });
            var first = await page.EvaluateAsync<string[]>(PiecesSeen);
            await page.AddScriptTagAsync(new() { Path = Tool.AxeScript });
            foreach (var (button, shown) in ((string, int)[])[("Fold all", 0), ("Unfold all", model.Config.LayerCount), ("Fold all", 0)])
            {
                await page.GetByRole(AriaRole.Button, new() { Name = button, Exact = true }).ClickAsync();
                Assert.Equal(shown, Count((await page.EvaluateAsync<string[]>(PiecesSeen))[0], "down"));
                await Assertions.Expect(page.GetByRole(AriaRole.Button, new() { Expanded = shown > 0 })).ToHaveCountAsync(model.Config.LayerCount);
                // A block looks like another: those of a deep model need not all be looked at.
                foreach (var scheme in model.Config.LayerCount > 3 ? [] : (ColorScheme[])[ColorScheme.Light, ColorScheme.Dark])
                {
                    await page.EmulateMediaAsync(new() { ColorScheme = scheme });
                    Assert.Empty(await page.EvaluateAsync<string[]>("async () => (await axe.run(document.querySelector('main'))).violations.flatMap(v => v.nodes.map(n => `${v.id}: ${n.failureSummary} ${n.html.slice(0, 160)}`))"));
                }

                Assert.Empty(await page.EvaluateAsync<string[]>(Collisions));
            }

            await page.EmulateMediaAsync(new() { Media = Media.Print });
            Assert.Equal(onPaper, await page.EvaluateAsync<string[]>(PiecesSeen));
            Assert.Equal(first[0].Split('\n')[1..], onPaper[0].Split('\n')[1..]);
            Assert.Equal(Height(first[0]), Height(onPaper[0]), 1.0);
            await browser.CloseAsync(page);
        }
    }

    private static double Height(string seen) => double.Parse(seen.Split('\n')[0], System.Globalization.CultureInfo.InvariantCulture);

    private static int Count(string seen, string text) => seen.Split('\n').Count(line => line == text);
}
