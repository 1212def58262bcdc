using System.Buffers.Binary;
using GradScope.Testing;
using Microsoft.Playwright;

namespace GradScope.Figures.Tests;

/// <summary>The README's pictures: figures of the trained teaching model, as a browser shows them.</summary>
public sealed class PictureTests(BrowserTests.Browser browser) : IClassFixture<BrowserTests.Browser>
{
    private static readonly (string File, string Figure, ColorScheme Scheme, string[] Keys)[] pictures =
    [
        ("player.png", "trained-player", ColorScheme.Light, ["End", .. Enumerable.Repeat("ArrowLeft", 20)]),
        ("run.png", "trained-run", ColorScheme.Light, []),
        ("gradient-flow.png", "trained-flow", ColorScheme.Light, []),
        ("attention.png", "trained-attention", ColorScheme.Dark, []),
        ("predictions.png", "trained-predictions", ColorScheme.Dark, []),
    ];

    /// <summary>With GRADSCOPE_UPDATE_SNAPSHOTS=1 the pictures are taken anew. They are not compared: fonts differ from machine to machine.</summary>
    [RequiresFact(Tool.Chromium)]
    public async Task Pictures_of_the_readme_are_there_and_can_be_taken_anew()
    {
        var readme = File.ReadAllText(Path.Combine(Repository.Root, "README.md"));
        var folder = Path.Combine(Repository.Root, "docs", "images");
        foreach (var (file, name, scheme, keys) in pictures)
        {
            var page = await browser.OpenAsync();
            await page.EmulateMediaAsync(new() { ColorScheme = scheme });
            await page.SetViewportSizeAsync(1180, 900);
            await page.SetContentAsync(Gallery.Draw(name).ToPage());
            if (await page.Locator("[data-gradscope]").CountAsync() > 0) await Assertions.Expect(page.Locator(".gs-on")).ToBeVisibleAsync();
            foreach (var key in keys) await page.Locator(".gs-player").PressAsync(key);
            await page.EvaluateAsync("() => document.activeElement.blur()");
            var picture = await page.Locator(".gs").ScreenshotAsync();
            await page.CloseAsync();
            if (Environment.GetEnvironmentVariable("GRADSCOPE_UPDATE_SNAPSHOTS") == "1") await File.WriteAllBytesAsync(Path.Combine(folder, file), picture);

            Assert.Contains($"docs/images/{file}", readme);
            Assert.Equal(WidthOf(picture), WidthOf(await File.ReadAllBytesAsync(Path.Combine(folder, file))));
        }

        static int WidthOf(byte[] png) => BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(16));
    }
}
