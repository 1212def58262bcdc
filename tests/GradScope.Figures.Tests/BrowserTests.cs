using GradScope.Tests;
using Microsoft.Playwright;

namespace GradScope.Figures.Tests;

/// <summary>Every figure opened in a real browser, in the light and in the dark. Screenshots are kept below artifacts/.</summary>
public sealed class BrowserTests
{
    // Pairs of texts that lie over each other, and texts that leave the drawing; a pixel is allowed, fonts differ.
    private const string Collisions = """
        () => {
          const problems = [];
          for (const svg of document.querySelectorAll('svg')) {
            const frame = svg.getBoundingClientRect();
            const scale = frame.width / svg.viewBox.baseVal.width;
            const texts = [...svg.querySelectorAll('text')].map(t => ({ text: t.textContent, turned: t.hasAttribute('transform'), box: t.getBoundingClientRect() }));
            const inset = 1.5 * scale;
            for (const { text, box } of texts) {
              if (box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 1 || box.bottom > frame.bottom + 1) problems.push(`clipped: ${text}`);
            }
            for (let i = 0; i < texts.length; i++) {
              for (let j = 0; j < i; j++) {
                const [a, b] = [texts[i].box, texts[j].box];
                if (Math.min(a.right, b.right) - Math.max(a.left, b.left) > inset && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 2 * inset) problems.push(`overlap: ${texts[i].text} / ${texts[j].text}`);
              }
            }
          }
          return problems;
        }
        """;

    [RequiresChromiumFact]
    public async Task Every_figure_is_whole_and_quiet_in_light_and_dark()
    {
        var browser = Chromium.Find();
        Assert.True(browser is not null, Chromium.Remedy);
        var folder = Directory.CreateDirectory(Path.Combine(Repository.Root, "artifacts", "figures")).FullName;
        using var playwright = await Playwright.CreateAsync();
        await using var chromium = await playwright.Chromium.LaunchAsync(new()
        {
            ExecutablePath = browser,
            Args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"],
        });

        List<string> problems = [];
        foreach (var (name, draw) in Gallery.All)
        {
            var file = Path.Combine(folder, name + ".html");
            draw().SaveHtml(file);
            var page = await chromium.NewPageAsync();
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
}
