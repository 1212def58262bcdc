using GradScope.Testing;
using Microsoft.Playwright;

namespace GradScope.Figures.Tests;

// The backprop player: every control by mouse and keys, and what it shows against what was recorded.
public sealed partial class BrowserTests
{
    private static TapeFrame PlayedTape => Trained.Plain.Frame.Tape;

    [RequiresFact(Tool.Chromium)]
    public async Task Backprop_is_stepped_by_keys_and_shows_the_recorded_numbers()
    {
        var page = await browser.ShowAsync(Trained.Plain.Frame.ToFigure().Html);
        var operations = PlayedTape.Nodes.Count(n => n.Kind == NodeKind.Operation);
        await Says(page, $"forward 1 of {operations} →");
        await page.Locator(".gs-player").FocusAsync();

        // Forward to the last: all values, no gradient, then the loss.
        for (var i = 1; i < operations; i++) await page.Keyboard.PressAsync("ArrowRight");
        await Says(page, $"forward {operations} of {operations} →");
        Assert.Equal((operations, 0), await Bars(page));
        await page.Keyboard.PressAsync("ArrowRight");
        await Says(page, "the loss");
        Assert.Equal([Shown((float)Trained.Plain.Frame.Tape["loss"].Value!), "1.00"], await page.Locator(".gs-output .gs-number").AllTextContentsAsync());

        // Backward, each step: what it adds, and the sums.
        var steps = PlayedTape.Contributions.GroupBy(c => c.Node).ToList();
        for (var i = 0; i < steps.Count; i++)
        {
            await page.Keyboard.PressAsync("ArrowRight");
            await Says(page, $"backward {i + 1} of {operations} ←");
            var rules = await page.Locator(".gs-rule").AllTextContentsAsync();
            Assert.Equal(steps[i].Count(), rules.Count);
            foreach (var (contribution, index) in steps[i].Select((c, n) => (c, n)))
            {
                var node = PlayedTape.Nodes[contribution.Input];
                var uses = PlayedTape.Contributions.Count(c => c.Input == node.Index);
                var card = page.Locator(".gs-card", new() { Has = page.Locator(".gs-rule") }).Nth(index);
                var captions = await card.Locator("figcaption").AllTextContentsAsync();
                Assert.Contains($"‖·‖ {Shown((float)node.ValueNorm)}", captions[0]);
                Assert.StartsWith("adds", captions[1]);
                Assert.Contains($"‖·‖ {Shown((float)contribution.Norm)}", captions[1]);
                Assert.Equal(uses > 1 ? 3 : 2, captions.Count);
                if (uses == 1) continue;
                Assert.Contains($"‖·‖ {Shown((float)contribution.SumNorm)}", captions[2]);
                Assert.Equal(contribution == PlayedTape.Contributions.Last(c => c.Input == node.Index), captions[2].Contains("whole", StringComparison.Ordinal));
            }
        }

        Assert.Equal((operations, operations), await Bars(page));
        await page.Keyboard.PressAsync("Home");
        await Says(page, $"forward 1 of {operations} →");
        Assert.Equal((1, 0), await Bars(page));
        await page.Keyboard.PressAsync("End");
        await Says(page, $"backward {operations} of {operations} ←");
        await page.Keyboard.PressAsync("ArrowLeft");
        await Says(page, $"backward {operations - 1} of {operations} ←");
        await browser.CloseAsync(page);
    }

    [RequiresFact(Tool.Chromium)]
    public async Task Cells_of_a_backward_step_are_parts_and_sums_as_recorded()
    {
        var page = await browser.ShowAsync(Trained.Plain.Frame.ToFigure().Html);
        var q = PlayedTape["blocks.1.attn.q"];
        var input = PlayedTape.Nodes[q.Inputs[0]];
        var k = PlayedTape["blocks.1.attn.k"];
        var part = PlayedTape.Contributions.Single(c => c.Node == k.Index && c.Input == input.Index);
        await Seek(page, "blocks.1.attn.k", backward: true);
        var maps = page.Locator(".gs-card").First.Locator(".gs-cells");
        foreach (var (map, tensor, word) in ((int, Tensor, string)[])[(0, input.Value!, "value"), (1, part.Added!, "adds (part 2 of 3)"), (2, part.Sum!, "sum so far")])
        {
            var box = (await maps.Nth(map).BoundingBoxAsync())!;
            await page.Mouse.MoveAsync(box.X + box.Width * 6.5f / 16, box.Y + box.Height * 3.5f / tensor.Shape[^2]);
            await Assertions.Expect(page.Locator(".gs-tip")).ToContainTextAsync($"{word} {Shown(tensor[0, 3, 6])}");
            await Assertions.Expect(page.Locator(".gs-tip")).ToContainTextAsync($"position 3 “{Trained.Plain.Frame.Tokens[3]}”");
        }

        // The same by keys; the tape stays where it is.
        await maps.First.FocusAsync();
        foreach (var key in (string[])["PageDown", "End", "ArrowDown"]) await page.Keyboard.PressAsync(key);
        await Assertions.Expect(page.Locator(".gs-tip")).ToContainTextAsync($"adds (part 2 of 3) {Shown(part.Added![0, 4, 15])}");
        await Says(page, "backward 15 of 34 ←");
        await browser.CloseAsync(page);
    }

    [RequiresFact(Tool.Chromium)]
    public async Task Backprop_is_played_scrubbed_folded_and_switched_off_by_mouse()
    {
        var page = await browser.ShowAsync(Trained.Plain.Frame.ToFigure().Html);
        var operations = PlayedTape.Nodes.Count(n => n.Kind == NodeKind.Operation);
        var scrub = page.GetByRole(AriaRole.Slider);

        await page.GetByLabel("Speed").SelectOptionAsync("8");
        await page.GetByRole(AriaRole.Button, new() { Name = "Play" }).ClickAsync();
        await Assertions.Expect(scrub).Not.ToHaveValueAsync("0");
        await page.GetByRole(AriaRole.Button, new() { Name = "Pause" }).ClickAsync();
        var rest = await scrub.InputValueAsync();
        await page.WaitForTimeoutAsync(400);
        Assert.Equal(rest, await scrub.InputValueAsync());

        await scrub.FillAsync((operations + 3).ToString(System.Globalization.CultureInfo.InvariantCulture));
        await Says(page, $"backward 3 of {operations} ←");
        await page.GetByRole(AriaRole.Button, new() { Name = "step back" }).ClickAsync();
        await Says(page, $"backward 2 of {operations} ←");
        await page.GetByRole(AriaRole.Button, new() { Name = "step forward" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "First step" }).ClickAsync();
        await Says(page, $"forward 1 of {operations} →");
        await page.GetByRole(AriaRole.Button, new() { Name = "Last step" }).ClickAsync();
        await Says(page, $"backward {operations} of {operations} ←");

        // Folding the first block's attention keeps the place and leaves 8 stops fewer each way.
        await Seek(page, "blocks.0.attn.scores", backward: true);
        var fold = page.GetByRole(AriaRole.Button, new() { Name = "block 0 · attention" });
        await fold.ClickAsync();
        await Says(page, $"backward {operations - 8 - 3} of {operations - 8} ←");
        await Assertions.Expect(page.Locator(".gs-what code")).ToHaveTextAsync("block 0 · attention, 9 operations");
        var weight = PlayedTape["blocks.0.attn.wq.weight"];
        await Assertions.Expect(page.GetByRole(AriaRole.Row, new() { Name = "attn.wq " })).ToContainTextAsync(Shown((float)weight.GradNorm!));
        await Assertions.Expect(page.Locator(".gs-inputs .gs-card").First).ToContainTextAsync($"∂L/∂resid_pre, whole ‖·‖ {Shown((float)PlayedTape["blocks.0.resid_pre"].GradNorm!)}");
        await fold.PressAsync("Enter");
        await Says(page, $"backward {operations - 3} of {operations} ←", near: true);
        await page.GetByRole(AriaRole.Button, new() { Name = "fold blocks" }).ClickAsync();
        await page.Keyboard.PressAsync("Home");
        await Says(page, "forward 1 of 6 →");
        await page.GetByRole(AriaRole.Button, new() { Name = "open all" }).ClickAsync();

        // Values only.
        var toggle = page.GetByRole(AriaRole.Switch, new() { Name = "backprop" });
        await toggle.ClickAsync();
        await Assertions.Expect(toggle).ToHaveAttributeAsync("aria-checked", "false");
        await page.Keyboard.PressAsync("End");
        await Says(page, $"forward {operations} of {operations} →");
        Assert.Equal((operations, 0), await Bars(page));
        await toggle.ClickAsync();
        await page.Keyboard.PressAsync("End");
        await Says(page, $"backward {operations} of {operations} ←");

        // Space plays, from the start at the end.
        await page.Locator(".gs-player").FocusAsync();
        await page.Keyboard.PressAsync("Space");
        await Says(page, $"forward 2 of {operations} →", near: true);
        await page.Keyboard.PressAsync("Space");
        await Assertions.Expect(page.GetByRole(AriaRole.Button, new() { Name = "Play" })).ToBeVisibleAsync();
        await browser.CloseAsync(page);
    }

    [RequiresFact(Tool.Chromium)]
    public async Task A_tape_without_backward_or_without_watch_is_played_as_far_as_it_was_recorded()
    {
        var page = await browser.ShowAsync(Trained.Micrograd(backward: false).ToPlayer().Html + Trained.Micrograd().ToPlayer().Html);
        Assert.Equal(1, await page.GetByRole(AriaRole.Switch).CountAsync());
        var unwatched = page.Locator(".gs-player").Nth(1);
        await unwatched.FocusAsync();
        await page.Keyboard.PressAsync("End");
        await Assertions.Expect(unwatched).ToContainTextAsync("only their sum was recorded");
        await browser.CloseAsync(page);
    }

    [RequiresTheory(Tool.Chromium)]
    [InlineData(360, ColorScheme.Light)]
    [InlineData(700, ColorScheme.Dark)]
    [InlineData(1100, ColorScheme.Light)]
    [InlineData(1400, ColorScheme.Dark)]
    public async Task Player_fits_the_width(int width, ColorScheme scheme)
    {
        var page = await browser.ShowAsync(Trained.Teaching.Frame.ToFigure().Html, width);
        await page.EmulateMediaAsync(new() { ColorScheme = scheme });
        var folder = Directory.CreateDirectory(Path.Combine(Repository.Root, "artifacts", "figures")).FullName;
        foreach (var (name, keys) in ((string, int)[])[("forward", 5), ("loss", 34), ("backward", 50)])
        {
            await page.Locator(".gs-player").FocusAsync();
            await page.Keyboard.PressAsync("Home");
            for (var i = 0; i < keys; i++) await page.Keyboard.PressAsync("ArrowRight");
            Assert.False(await page.EvaluateAsync<bool>("document.documentElement.scrollWidth > document.documentElement.clientWidth"));
            await page.Locator(".gs").ScreenshotAsync(new() { Path = Path.Combine(folder, $"player-{name}-{scheme}-{width}.png".ToLowerInvariant()) });
        }

        await browser.CloseAsync(page);
    }

    /// <summary>Clicks an operation's bar.</summary>
    private static async Task Seek(IPage page, string name, bool backward)
    {
        var parts = new PlayedTape(PlayedTape).Parts;
        var part = parts.Select((p, i) => (p, i)).First(x => x.p.Operations.Any(o => o.Node.Label == name));
        var at = part.p.Operations.Select((o, i) => (o, i)).First(x => x.o.Node.Label == name).i;
        var box = (await page.Locator(".gs-strip svg").Nth(part.i).BoundingBoxAsync())!;
        await page.Mouse.ClickAsync(box.X + box.Width * (at + 0.5f) / part.p.Operations.Count, box.Y + box.Height * (backward ? 0.9f : 0.1f));
    }

    private static async Task Says(IPage page, string place, bool near = false)
    {
        if (near) await Assertions.Expect(page.Locator(".gs-place")).ToContainTextAsync(place.Split(' ')[0]);
        else await Assertions.Expect(page.Locator(".gs-place")).ToHaveTextAsync(place);
    }

    private static async Task<(int Values, int Gradients)> Bars(IPage page) => (
        await page.EvaluateAsync<int>("[...document.querySelectorAll('.gs-strip :is(.fv, .fl)')].filter(b => b.style.visibility !== 'hidden').length"),
        await page.EvaluateAsync<int>("[...document.querySelectorAll('.gs-strip .fg')].filter(b => b.style.visibility !== 'hidden').length"));
}
