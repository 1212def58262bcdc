using System.Globalization;
using GradScope.Testing;
using Microsoft.Playwright;

namespace GradScope.Figures.Tests;

/// <summary>Every figure opened in a real browser, in the light and in the dark, wide and narrow. Screenshots are kept in artifacts/figures.</summary>
public sealed partial class BrowserTests(BrowserTests.Browser browser) : IClassFixture<BrowserTests.Browser>
{
    // Pairs of texts that lie over each other, and texts that leave the drawing, of those that show; a pixel is allowed, fonts differ.
    private const string Collisions = """
        () => {
          const problems = [];
          for (const svg of document.querySelectorAll('svg:not(svg *)')) {
            const frame = svg.getBoundingClientRect();
            const slack = 1.5 * frame.width / svg.viewBox.baseVal.width;
            const all = [...svg.querySelectorAll('text')];
            for (const t of all) if (/  /.test(t.textContent) && getComputedStyle(t).whiteSpace !== 'pre') problems.push(`collapsed: ${t.textContent}`);
            const texts = all.map(t => ({ text: t.textContent, box: t.getBoundingClientRect() })).filter(({ box }) => box.width > 0);
            for (const { text, box } of texts) {
              if (box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 1 || box.bottom > frame.bottom + 1) problems.push(`clipped: ${text}`);
            }
            for (let i = 0; i < texts.length; i++) {
              for (let j = 0; j < i; j++) {
                const [a, b] = [texts[i].box, texts[j].box];
                if (Math.min(a.right, b.right) - Math.max(a.left, b.left) > slack && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 2 * slack) problems.push(`overlap: ${texts[i].text} / ${texts[j].text}`);
              }
            }
          }
          return problems;
        }
        """;

    [RequiresFact(Tool.Chromium)]
    public async Task Every_figure_is_whole_and_quiet_in_light_and_dark()
    {
        var folder = Directory.CreateDirectory(Path.Combine(Repository.Root, "artifacts", "figures")).FullName;
        List<string> problems = [];
        foreach (var (name, draw) in Gallery.All)
        {
            var file = Path.Combine(folder, name + ".html");
            draw().SaveHtml(file);
            var page = await browser.OpenAsync();
            var where = name;
            page.Console += (_, message) => problems.Add($"{where}: {message.Text}");
            page.PageError += (_, error) => problems.Add($"{where}: {error}");
            page.Request += (_, request) =>
            {
                if (!request.Url.StartsWith("file:", StringComparison.Ordinal)) problems.Add($"{where}: asked the network for {request.Url}");
            };
            await page.GotoAsync(new Uri(file).AbsoluteUri);
            foreach (var (scheme, width) in ((ColorScheme, int)[])[(ColorScheme.Light, 1000), (ColorScheme.Dark, 1000), (ColorScheme.Light, 400), (ColorScheme.Dark, 400)])
            {
                where = $"{name}, {scheme}, {width} px";
                await page.EmulateMediaAsync(new() { ColorScheme = scheme });
                await page.SetViewportSizeAsync(width, 700);
                problems.AddRange((await page.EvaluateAsync<string[]>(Collisions)).Select(p => $"{where}: {p}"));
                if (await page.EvaluateAsync<bool>("document.documentElement.scrollWidth > document.documentElement.clientWidth")) problems.Add($"{where}: the page itself scrolls sideways");
                await page.Locator(".gs").ScreenshotAsync(new() { Path = Path.Combine(folder, $"{name}-{scheme}-{width}.png".ToLowerInvariant()) });
            }

            await page.CloseAsync();
        }

        Assert.Empty(problems);
    }

    [RequiresFact(Tool.Chromium)]
    public async Task A_cell_is_read_by_pointer_and_by_keys()
    {
        var node = Trained.Plain.Frame.Tape["blocks.0.mlp.post"];
        var page = await browser.ShowAsync(node.ToFigure().Html);
        var map = page.Locator("[data-map]").First;
        var box = (await map.BoundingBoxAsync())!;
        var (rows, columns) = (node.Shape[^2], node.Shape[^1]);
        await page.Mouse.MoveAsync(box.X + box.Width * 5.5f / columns, box.Y + box.Height * 2.5f / rows);
        await Assertions.Expect(page.Locator(".gs-tip")).ToHaveTextAsync(Told(2, 5), new() { UseInnerText = true });

        await page.Mouse.MoveAsync(0, 0);
        await Assertions.Expect(page.Locator(".gs-tip")).ToBeHiddenAsync();
        await page.Locator(".gs-view").First.FocusAsync();
        await page.Keyboard.PressAsync("Tab");
        await Assertions.Expect(page.Locator("[role=status]")).ToHaveTextAsync(Told(2, 5).Replace("\n", ", "));
        foreach (var key in (string[])["ArrowDown", "ArrowDown", "End", "ArrowLeft", "PageDown", "PageUp"]) await page.Keyboard.PressAsync(key);
        await Assertions.Expect(page.Locator(".gs-tip")).ToHaveTextAsync(Told(4, columns - 2), new() { UseInnerText = true });
        await page.Keyboard.PressAsync("Escape");
        await Assertions.Expect(page.Locator(".gs-tip")).ToBeHiddenAsync();
        await browser.CloseAsync(page);

        string Told(int r, int c) => $"{node.Label}[0, {r}, {c}]\nvalue {Shown(node.Value![0, r, c])}\ngradient {Shown(node.Grad![0, r, c])}";
    }

    [RequiresFact(Tool.Chromium)]
    public async Task Every_drawn_map_is_read_by_pointer_and_keys_wide_and_narrow()
    {
        foreach (var name in (string[])["flow", "history", "tensor", "predictions", "tape-tensors", "deep-pattern", "predictions-odd-tokens"])
        {
            var html = Gallery.Draw(name).Html;
            foreach (var width in (int[])[1300, 360])
            {
                var page = await browser.ShowAsync(html, width);
                var maps = page.Locator("[data-map]:visible");
                var count = await maps.CountAsync();
                Assert.True(count > 0, name);
                foreach (var map in (int[])[0, count - 1])
                {
                    // The first cell: under a causal mask the one that is always allowed.
                    await maps.Nth(map).HoverAsync(new() { Position = new() { X = 1, Y = 1 } });
                    await Assertions.Expect(page.Locator(".gs-tip")).ToContainTextAsync("\nvalue ", new() { UseInnerText = true });
                    await maps.Nth(map).FocusAsync();
                    await page.Keyboard.PressAsync("End");
                    await page.Keyboard.PressAsync("Home");
                    await Assertions.Expect(page.Locator("[role=status]")).ToContainTextAsync(", value ");
                }

                // One stop of the tab key for all maps of the drawing that shows.
                Assert.Equal(1, await page.Locator("[data-map][tabindex='0']:visible").CountAsync());
                await browser.CloseAsync(page);
            }
        }
    }

    [RequiresFact(Tool.Chromium)]
    public async Task All_curves_of_a_training_are_read_at_a_step()
    {
        var run = Trained.Teaching.Run;
        foreach (var width in (int[])[1100, 360])
        {
            var page = await browser.ShowAsync(run.ToFigure().Html, width);
            var curves = page.Locator("[data-map]:visible");
            var box = (await curves.BoundingBoxAsync())!;
            await page.Mouse.MoveAsync(box.X + box.Width * 56.5f / 200, box.Y + 40);
            await Assertions.Expect(page.Locator(".gs-tip")).ToHaveTextAsync(Told(run, 57), new() { UseInnerText = true });
            await curves.FocusAsync();
            await page.Keyboard.PressAsync("End");
            await Assertions.Expect(page.Locator("[role=status]")).ToHaveTextAsync(Told(run, 200).Replace("\n", ", "));
            await page.Keyboard.PressAsync("ArrowLeft");
            await Assertions.Expect(page.Locator("[role=status]")).ToHaveTextAsync(Told(run, 199).Replace("\n", ", "));
            var tip = (await page.Locator(".gs-tip").BoundingBoxAsync())!;
            Assert.InRange(tip.X, 0, width - tip.Width);
            Assert.InRange(tip.Y, 0, 900 - tip.Height);
            await browser.CloseAsync(page);
        }
    }

    /// <summary>All that was recorded of a step, as the script tells it.</summary>
    private static string Told(Run run, int step)
    {
        var m = run.Metrics[step - 1];
        (string Name, double? Value)[] all =
        [
            ("loss", m.Loss), ("validation loss", m.ValidationLoss), ("accuracy", m.Accuracy), ("validation accuracy", m.ValidationAccuracy),
            ("gradient norm", m.GradientNorm), ("update ratio", m.UpdateRatio), ("learning rate", m.LearningRate),
        ];
        return $"step {step}\n" + string.Join('\n', all.Where(n => n.Value is not null).Select(n => $"{n.Name} {Shown((float)n.Value!)}"));
    }

    [RequiresFact(Tool.Chromium)]
    public async Task Every_tokens_probability_is_read()
    {
        var frame = Trained.Plain.Frame.Predictions();
        var page = await browser.ShowAsync(frame.ToFigure().Html);
        var box = (await page.Locator("[data-map]:visible").BoundingBoxAsync())!;
        await page.Mouse.MoveAsync(box.X + box.Width * 5.5f / frame.Vocabulary.Length, box.Y + box.Height * 3.5f / frame.Positions.Length);
        await Assertions.Expect(page.Locator(".gs-tip")).ToHaveTextAsync(
            $"P[position 3 “{frame.Positions[3].Token}”, token 5 “{frame.Vocabulary[5]}”]\nvalue {Shown(frame.Positions[3].Probabilities[5])}", new() { UseInnerText = true });
        await browser.CloseAsync(page);
    }

    [RequiresFact(Tool.Chromium)]
    public async Task The_script_may_run_twice_on_many_figures_and_on_copies()
    {
        var (one, other) = (Trained.Plain.Frame.Tape["logits"].ToFigure().Html, Trained.Plain.Frame.Tape["embed"].ToFigure().Html);
        var page = await browser.ShowAsync(one + other + one);
        await page.EvaluateAsync("() => { const old = document.querySelector('script'), again = document.createElement('script'); again.textContent = old.textContent; old.replaceWith(again); }");
        await Assertions.Expect(page.Locator(".gs.gs-on")).ToHaveCountAsync(3);
        var tips = await page.EvaluateAsync<int[]>("[...document.querySelectorAll('.gs')].map(r => r.querySelectorAll('.gs-tip').length)");
        Assert.Equal([1, 1, 1], tips);
        await browser.CloseAsync(page);
    }

    /// <summary>A number as the script shows it: three digits, always.</summary>
    internal static string Shown(float value)
    {
        if (value == 0) return "0";
        var text = Math.Abs((double)value).ToString("E2", CultureInfo.InvariantCulture);
        var exponent = int.Parse(text.AsSpan(5), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        var digits = decimal.Parse(text.AsSpan(0, 4), CultureInfo.InvariantCulture);
        return (value < 0 ? "−" : "") + exponent switch
        {
            >= -2 and < 3 => (digits * (decimal)Math.Pow(10, exponent)).ToString("F" + (2 - exponent), CultureInfo.InvariantCulture),
            3 => (digits * 1000).ToString("F0", CultureInfo.InvariantCulture),
            _ => $"{digits.ToString("F2", CultureInfo.InvariantCulture)}·10{Numbers.Superscript(exponent)}",
        };
    }

    [RequiresFact(Tool.Chromium)]
    public async Task The_hosts_theme_outweighs_the_systems_and_print_is_light()
    {
        var page = await browser.OpenAsync();
        await page.SetContentAsync(Trained.Micrograd().ToFigure().Html);
        (ColorScheme System, string Host, Media Media, string Expected)[] cases =
        [
            (ColorScheme.Light, "", Media.Screen, Palette.LightDefault.Value),
            (ColorScheme.Dark, "", Media.Screen, Palette.DarkDefault.Value),
            (ColorScheme.Light, "document.body.className = 'vscode-dark'", Media.Screen, Palette.DarkDefault.Value),
            (ColorScheme.Dark, "document.body.className = 'vscode-light'", Media.Screen, Palette.LightDefault.Value),
            (ColorScheme.Light, "document.body.className = 'vscode-dark vscode-high-contrast'", Media.Screen, Palette.DarkContrast.Value),
            (ColorScheme.Dark, "document.body.className = 'vscode-high-contrast vscode-high-contrast-light'", Media.Screen, Palette.LightContrast.Value),
            (ColorScheme.Dark, "document.body.dataset.jpThemeLight = 'true'", Media.Screen, Palette.LightDefault.Value),
            (ColorScheme.Light, "document.body.dataset.jpThemeLight = 'false'", Media.Screen, Palette.DarkDefault.Value),
            (ColorScheme.Dark, "document.body.dataset.jpThemeLight = 'false'", Media.Print, Palette.LightDefault.Value),
        ];
        foreach (var (system, host, media, expected) in cases)
        {
            await page.EmulateMediaAsync(new() { ColorScheme = system, Media = media });
            await page.EvaluateAsync($"() => {{ document.body.className = ''; delete document.body.dataset.jpThemeLight; {host} }}");
            Assert.Equal((system, host, expected), (system, host, await page.EvaluateAsync<string>("getComputedStyle(document.querySelector('svg')).getPropertyValue('--gs-value').trim()")));
        }

        await page.EvaluateAsync("() => { document.body.style.setProperty('--vscode-editor-background', 'rgb(1, 2, 3)'); }");
        await page.EmulateMediaAsync(new() { Media = Media.Screen });
        Assert.Equal("rgb(1, 2, 3)", await page.EvaluateAsync<string>("getComputedStyle(document.querySelector('svg > rect')).fill"));
        await page.CloseAsync();
    }

    /// <summary>One browser for all tests, started by the first that needs it.</summary>
    public sealed class Browser : IAsyncLifetime
    {
        private IPlaywright? playwright;
        private readonly List<string> complaints = [];
        private IBrowser? chromium;

        public async Task<IPage> OpenAsync()
        {
            var path = Chromium.Find();
            Assert.True(path is not null, "Chromium was not found.");
            playwright ??= await Playwright.CreateAsync();
            chromium ??= await playwright.Chromium.LaunchAsync(new()
            {
                ExecutablePath = path,
                Args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"],
            });
            return await chromium.NewPageAsync();
        }

        /// <summary>A page of finished figures; <see cref="CloseAsync"/> tells what it complained of.</summary>
        public async Task<IPage> ShowAsync(string html, int width = 1100)
        {
            var page = await OpenAsync();
            page.Console += (_, message) => complaints.Add(message.Text);
            page.PageError += (_, error) => complaints.Add(error);
            page.Request += (_, request) => complaints.Add($"asked the network for {request.Url}");
            await page.SetViewportSizeAsync(width, 900);
            await page.SetContentAsync($"<!doctype html><meta charset=utf-8><body>{html}");
            await Assertions.Expect(page.Locator(".gs.gs-on").First).ToBeVisibleAsync();
            return page;
        }

        public async Task CloseAsync(IPage page)
        {
            await page.CloseAsync();
            Assert.Empty(complaints);
        }

        public Task InitializeAsync() => Task.CompletedTask;

        public async Task DisposeAsync()
        {
            if (chromium is not null) await chromium.CloseAsync();
            playwright?.Dispose();
        }
    }
}
