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
            await Assertions.Expect(first.Locator(".gs-told")).ToHaveTextAsync(said);
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

    [RequiresFact(Tool.Chromium)]
    public async Task Every_cell_of_a_tape_tells_the_recorded_numbers()
    {
        // What is told over the middle of each cell of each map that shows, by number and place.
        const string Read = """
            () => [...document.querySelectorAll('[data-map]')].filter(hit => hit.checkVisibility()).map(hit => {
              const [tip, box, texts] = [document.querySelector('.gs-tip'), hit.getBoundingClientRect(), []];
              for (let r = 0; r < 8; r++) for (let c = 0; c < 16; c++) {
                const at = { clientX: box.left + box.width * (c + .5) / 16, clientY: box.top + box.height * (r + .5) / 8 };
                hit.dispatchEvent(new PointerEvent('pointermove', at));
                texts.push(tip.textContent);
              }
              return texts;
            })
            """;
        foreach (var (tape, width) in ((TapeFrame, int)[])[(Trained.Teaching.Frame.Tape, 1100), (Trained.Teaching.Frame.Tape, 380), (Trained.Plain.Frame.Tape, 1100), (Short, 1100), (Short, 360)])
        {
            var page = await browser.ShowAsync(tape.ToFigure().Html, width);
            var maps = Maps(tape);
            var told = await page.EvaluateAsync<string[][]>(Read);
            Assert.Equal(maps.Count, told.Length);
            foreach (var ((node, _), texts) in maps.Zip(told))
            {
                var (rows, columns) = Drawn(node);
                for (var i = 0; i < 8 * 16; i++)
                {
                    var (row, column) = ((int)((i / 16 + 0.5) * rows / 8), (int)((i % 16 + 0.5) * columns / 16));
                    Assert.Equal(Told(tape, node, row, column), texts[i]);
                }
            }

            await browser.CloseAsync(page);
        }
    }

    [RequiresFact(Tool.Chromium)]
    public async Task Cells_of_a_tape_are_read_by_pointer_and_by_keys_wide_and_narrow()
    {
        var tape = Trained.Teaching.Frame.Tape;
        var maps = Maps(tape);
        var html = tape.ToFigure().Html;
        foreach (var width in (int[])[1100, 380])
        {
            var page = await browser.ShowAsync(html, width);
            foreach (var (name, isGradient, row, column) in ((string, bool, int, int)[])
                [("blocks.0.attn.pattern", false, 5, 10), ("blocks.1.attn.pattern", true, 7, 0), ("blocks.1.attn.q", true, 3, 9), ("blocks.0.attn.scores", false, 2, 11), ("blocks.0.mlp.post", false, 6, 15), ("tokens", false, 0, 4)])
            {
                var node = tape[name];
                var (rows, columns) = Drawn(node);
                var hit = page.Locator("[data-map]:visible").Nth(maps.IndexOf((node, isGradient)));
                await hit.ScrollIntoViewIfNeededAsync();
                var box = (await hit.BoundingBoxAsync())!;
                await page.Mouse.MoveAsync(box.X + box.Width * (column + 0.5f) / columns, box.Y + box.Height * (row + 0.5f) / rows);
                await Assertions.Expect(page.Locator(".gs-tip")).ToHaveTextAsync(Told(tape, node, row, column), new() { UseInnerText = true });
                await page.ScreenshotAsync(new() { Path = Path.Combine(Repository.Root, "artifacts", "figures", $"cell-{name}-{width}.png") });

                // From the first cell by arrows: the map is a stop among the others of its part, by Page Up and Page Down.
                await hit.FocusAsync();
                for (var c = 0; c < 16; c++) await page.Keyboard.PressAsync("ArrowLeft");
                for (var r = 0; r < 8; r++) await page.Keyboard.PressAsync("ArrowUp");
                for (var r = 0; r < row; r++) await page.Keyboard.PressAsync("ArrowDown");
                for (var c = 0; c < column; c++) await page.Keyboard.PressAsync("ArrowRight");
                await Assertions.Expect(page.Locator("[role=status]")).ToHaveTextAsync(Told(tape, node, row, column).Replace("\n", ", "));
                await page.Keyboard.PressAsync("PageDown");
                await page.Keyboard.PressAsync("PageUp");
                await Assertions.Expect(page.Locator(".gs-tip")).ToHaveTextAsync(Told(tape, node, row, column), new() { UseInnerText = true });
            }

            await browser.CloseAsync(page);
        }
    }

    [RequiresFact(Tool.Chromium)]
    public async Task What_a_row_takes_stays_in_view_and_covers_no_focus()
    {
        var html = Trained.Teaching.Frame.Tape.ToFigure().Html;
        foreach (var width in (int[])[1100, 380])
        {
            var page = await browser.ShowAsync(html, width);
            var told = page.Locator(".gs-told");
            await page.Locator(".gs-row").First.FocusAsync();
            for (var i = 0; i < 46; i++) await page.Keyboard.PressAsync("ArrowDown");
            await page.Keyboard.PressAsync("Enter");
            await Assertions.Expect(told).ToContainTextAsync("blocks.1.attn.k = Linear: inputs (in) blocks.1.ln1");
            for (var i = 0; i < 40; i++)
            {
                await page.Keyboard.PressAsync("ArrowUp");
                var (line, row) = ((await told.BoundingBoxAsync())!, (await page.Locator(".gs-row:focus").BoundingBoxAsync())!);
                Assert.InRange(line.Y, -0.5, 900 - line.Height);
                Assert.True(row.Y >= line.Y + line.Height - 0.5, $"{width} px, {i} rows up: the row at {row.Y} lies below the line's end at {line.Y + line.Height}.");
            }

            foreach (var scheme in (ColorScheme[])[ColorScheme.Light, ColorScheme.Dark])
            {
                await page.EmulateMediaAsync(new() { ColorScheme = scheme });
                await page.ScreenshotAsync(new() { Path = Path.Combine(Repository.Root, "artifacts", "figures", $"told-{width}-{scheme}.png".ToLowerInvariant()) });
                Assert.Equal("true", await page.EvaluateAsync<string>("{ const { color, backgroundColor } = getComputedStyle(document.querySelector('.gs-told')); const probe = getComputedStyle(document.querySelector('svg > rect')).fill; `${backgroundColor === probe && color !== backgroundColor}` }"));
            }

            await page.EmulateMediaAsync(new() { Media = Media.Print });
            await Assertions.Expect(told).ToBeHiddenAsync();
            await browser.CloseAsync(page);
        }
    }

    private static TapeFrame Short => Recorder.Capture(Synthetic.Layer());

    /// <summary>The maps of a tape in their order: which node's, and whether its gradient's.</summary>
    private static List<(NodeFrame Node, bool IsGradient)> Maps(TapeFrame tape) => [.. tape.Nodes
        .Where(n => n is { Kind: not NodeKind.Parameter, Value.Length: > 1 })
        .SelectMany(n => n.Grad is null ? (bool[])[false] : [false, true], (node, isGradient) => (node, isGradient))];

    /// <summary>How many cells a map has: of a tensor's matrices beside each other at most 8 rows and 16 columns.</summary>
    private static (int Rows, int Columns) Drawn(NodeFrame node)
    {
        var (rows, columns, _, block) = Layout(node);
        return (rows, (columns + block - 1) / block);
    }

    private static (int Rows, int Columns, int Heads, int Block) Layout(NodeFrame node)
    {
        var heads = node.Shape.Rank == 4 ? node.Shape[1] : 1;
        var columns = node.Shape.Columns * heads;
        return (node.Shape.Rank < 2 ? 1 : node.Shape[^2], columns, heads, (columns + 15) / 16);
    }

    /// <summary>What a cell of a tape of one example tells, from the recorded numbers; of a block the one of largest magnitude.</summary>
    private static string Told(TapeFrame tape, NodeFrame node, int row, int column)
    {
        var (rows, columns, heads, block) = Layout(node);
        var width = columns / heads;
        var (head, key) = (column * block / width, column * block % width);
        string Token(int position) => tape.Tokens.IsEmpty ? "" : $" “{TokenText.Show(tape.Tokens[position])}”";
        var last = Math.Min(key + block, width) - 1;
        var index = last == key ? $"{key}" : $"{key}…{last}";
        string where = node.Shape.Rank switch
        {
            4 => $"query {row}{Token(row)}, head {head}, key {index}{Token(key)}",
            3 => $"position {row}{Token(row)}, {index}",
            _ when node.Name == "tokens" => $"position {key}{Token(key)}",
            _ => rows == 1 ? index : $"{row}, {index}",
        };
        if (heads > 1 && key > row) return $"{node.Label}[{where}]\nmasked: not allowed";

        float Number(Tensor tensor) => Enumerable.Range(key, Math.Min(block, width - key)).Select(c => tensor.Values[(head * rows + row) * width + c]).MaxBy(Math.Abs);
        return $"{node.Label}[{where}]\nvalue {Shown(Number(node.Value!))}{(node.Grad is null ? "" : "\ngradient " + Shown(Number(node.Grad)))}";
    }
}
