using GradScope.Testing;
using Microsoft.Playwright;

namespace GradScope.Figures.Tests;

/// <summary>What axe-core, the checker that browsers' own tools use, says of each figure with its numbers unfolded.</summary>
public sealed class AccessibilityTests(BrowserTests.Browser browser) : IClassFixture<BrowserTests.Browser>
{
    private const string Violations = """
        async colours => {
          for (const details of document.querySelectorAll('details')) details.open = true;
          const { violations } = await axe.run(document, { resultTypes: ['violations'], ...colours ? { runOnly: ['color-contrast'] } : {} });
          return violations.flatMap(v => v.nodes.map(n => `${v.id}: ${n.failureSummary} ${n.html.slice(0, 160)}`));
        }
        """;

    [RequiresFact(Tool.Chromium, Tool.AxeCore)]
    public async Task Axe_does_see_what_is_wrong()
    {
        var page = await browser.OpenAsync();
        await page.SetContentAsync("<main><img src='data:,'><p style='color:#aaa;background:#fff'>pale</p></main>");
        await page.AddScriptTagAsync(new() { Path = Tool.AxeScript });
        Assert.Contains(await page.EvaluateAsync<string[]>(Violations, false), v => v.StartsWith("image-alt", StringComparison.Ordinal));
        Assert.StartsWith("color-contrast", Assert.Single(await page.EvaluateAsync<string[]>(Violations, true)));
        await page.CloseAsync();
    }

    [RequiresFact(Tool.Chromium, Tool.AxeCore)]
    public async Task Axe_finds_no_violation_on_any_figure()
    {
        var page = await browser.OpenAsync();
        List<string> problems = [];
        foreach (var (name, draw) in Gallery.All)
        {
            await page.SetContentAsync(draw().ToPage());
            await page.AddScriptTagAsync(new() { Path = Tool.AxeScript });
            foreach (var scheme in (ColorScheme[])[ColorScheme.Light, ColorScheme.Dark])
            {
                // In the dark only colours are other ones.
                await page.EmulateMediaAsync(new() { ColorScheme = scheme });
                problems.AddRange((await page.EvaluateAsync<string[]>(Violations, scheme == ColorScheme.Dark)).Select(v => $"{name}, {scheme}: {v}"));
            }
        }

        await page.CloseAsync();
        Assert.Empty(problems);
    }
}
