using GradScope.Testing;
using Microsoft.Playwright;

namespace GradScope.Figures.Tests;

/// <summary>A tape whose rows are selected and searched.</summary>
public sealed partial class BrowserTests
{
    private const string Roles = "() => [...document.querySelectorAll('.gs')].map(root => [...root.querySelectorAll('.gs-row')].filter(r => r.checkVisibility()).map(r => r.dataset.role ?? '').join(' '))";

    [RequiresFact(Tool.Chromium)]
    public async Task A_row_lights_up_what_it_takes_and_what_takes_it()
    {
        foreach (var (tape, name, width) in ((TapeFrame, string, int)[])[(Trained.Plain.Frame.Tape, "blocks.0.attn.z", 1100), (Trained.Plain.Frame.Tape, "blocks.1.mlp.post", 1100), (Trained.Micrograd(), "e", 1100), (Trained.Micrograd(), "e", 360)])
        {
            var html = tape.ToFigure().Html;
            var page = await browser.ShowAsync(html + html, width);
            var node = tape[name];
            var rows = TapeRow.Of(tape);
            var expected = string.Join(' ', rows.Select(r => r.Node == node ? "this" : node.Inputs.Contains(r.Node.Index) ? "in" : r.Node.Inputs.Contains(node.Index) ? "use" : ""));
            var first = page.Locator(".gs").First;
            var row = first.Locator($".gs-row[aria-label='{name}, {node.Operation}']:visible");

            // By pointer, then Escape; the row's own rectangle lets clicks through to the drawing.
            var at = rows.Select((r, i) => (r, i)).First(p => p.r.Node == node).i;
            await row.ScrollIntoViewIfNeededAsync();
            var box = (await row.BoundingBoxAsync())!;
            await page.Mouse.ClickAsync(box.X + 60, box.Y + box.Height / 2);
            var nothing = new string(' ', rows.Count - 1);
            Assert.Equal([expected, nothing], await page.EvaluateAsync<string[]>(Roles));
            var said = $"{name} = {node.Operation}: inputs (in) {string.Join(", ", node.Inputs.Distinct().Select(i => tape.Nodes[i].Label))}; used by (use) {string.Join(", ", tape.Nodes.Where(n => n.Inputs.Contains(node.Index)).Select(n => n.Label))}";
            await Assertions.Expect(first.Locator(".gs-find p")).ToHaveTextAsync(said);
            await page.Locator(".gs").First.ScreenshotAsync(new() { Path = Path.Combine(Repository.Root, "artifacts", "figures", $"selected-{name}-{width}-light.png") });
            await page.EmulateMediaAsync(new() { ColorScheme = ColorScheme.Dark });
            await page.Locator(".gs").First.ScreenshotAsync(new() { Path = Path.Combine(Repository.Root, "artifacts", "figures", $"selected-{name}-{width}-dark.png") });

            // By keys: one tab stop, arrows from row to row.
            var start = first.Locator(".gs-row[tabindex='0']:visible");
            await Assertions.Expect(start).ToHaveCountAsync(1);
            await start.FocusAsync();
            await page.Keyboard.PressAsync("Escape");
            Assert.Equal([nothing, nothing], await page.EvaluateAsync<string[]>(Roles));
            await page.Keyboard.PressAsync("Home");
            for (var i = 0; i < at; i++) await page.Keyboard.PressAsync("ArrowDown");
            await page.Keyboard.PressAsync("Enter");
            Assert.Equal([expected, nothing], await page.EvaluateAsync<string[]>(Roles));
            await Assertions.Expect(row).ToHaveAttributeAsync("aria-pressed", "true");
            await Assertions.Expect(first.Locator(".gs-row[tabindex='0']:visible")).ToHaveCountAsync(1);
            await browser.CloseAsync(page);
        }
    }

    [RequiresFact(Tool.Chromium, Tool.AxeCore)]
    public async Task A_tape_is_searched_by_name_and_operation()
    {
        foreach (var tape in (TapeFrame[])[Trained.Plain.Frame.Tape, Trained.Micrograd()])
        {
            var page = await browser.ShowAsync($"<main>{tape.ToFigure().Html}</main>");
            var rows = TapeRow.Of(tape);
            var search = page.GetByLabel("Find a row");
            foreach (var text in (string[])["attn", "ADD", "mul", "e", "no such row"])
            {
                await search.FillAsync(text);
                var fits = rows.Count(r => (r.Node.Label + "\n" + (r.Node.Kind == NodeKind.Operation ? r.Node.Operation : r.Node.Kind.ToString())).Contains(text, StringComparison.OrdinalIgnoreCase));
                await Assertions.Expect(page.Locator(".gs-find span")).ToHaveTextAsync($"{fits} of {rows.Count}");
                Assert.Equal(fits, await page.Locator(".gs-row:not(.gs-dim):visible").CountAsync());
            }

            await search.FillAsync("mul");
            await page.Locator(".gs-row:visible").Nth(rows.Count / 2).FocusAsync();
            await page.Keyboard.PressAsync("Enter");
            await page.AddScriptTagAsync(new() { Path = Tool.AxeScript });
            Assert.Empty(await page.EvaluateAsync<string[]>("async () => (await axe.run(document.querySelector('main'))).violations.flatMap(v => v.nodes.map(n => `${v.id}: ${n.failureSummary} ${n.html.slice(0, 160)}`))"));
            await search.FillAsync("");
            await Assertions.Expect(page.Locator(".gs-find span")).ToHaveTextAsync("");
            await Assertions.Expect(page.Locator(".gs-dim")).ToHaveCountAsync(0);
            await browser.CloseAsync(page);
        }
    }
}
