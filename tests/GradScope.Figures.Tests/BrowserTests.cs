using GradScope.Tests;
using Microsoft.Playwright;

namespace GradScope.Figures.Tests;

/// <summary>Every figure opened in a real browser, in the light and in the dark, wide and narrow. Screenshots are kept in artifacts/figures.</summary>
public sealed class BrowserTests(BrowserTests.Browser browser) : IClassFixture<BrowserTests.Browser>
{
    // Pairs of texts that lie over each other, and texts that leave the drawing; a pixel is allowed, fonts differ.
    private const string Collisions = """
        () => {
          const problems = [];
          for (const svg of document.querySelectorAll('svg')) {
            const frame = svg.getBoundingClientRect();
            const slack = 1.5 * frame.width / svg.viewBox.baseVal.width;
            const texts = [...svg.querySelectorAll('text')].map(t => ({ text: t.textContent, box: t.getBoundingClientRect() }));
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

    [RequiresChromiumFact]
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

    [RequiresChromiumFact]
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
            (ColorScheme.Light, "document.body.className = 'vscode-dark vscode-high-contrast'", Media.Screen, Palette.DarkDefault.Value),
            (ColorScheme.Dark, "document.body.className = 'vscode-high-contrast vscode-high-contrast-light'", Media.Screen, Palette.LightDefault.Value),
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
        private IBrowser? chromium;

        public async Task<IPage> OpenAsync()
        {
            var path = Chromium.Find();
            Assert.True(path is not null, Chromium.Remedy);
            playwright ??= await Playwright.CreateAsync();
            chromium ??= await playwright.Chromium.LaunchAsync(new()
            {
                ExecutablePath = path,
                Args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"],
            });
            return await chromium.NewPageAsync();
        }

        public Task InitializeAsync() => Task.CompletedTask;

        public async Task DisposeAsync()
        {
            if (chromium is not null) await chromium.CloseAsync();
            playwright?.Dispose();
        }
    }
}
