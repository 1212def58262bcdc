using GradScope.Testing;
using Microsoft.Playwright;

namespace GradScope.Interactive.Tests;

/// <summary>A browser for the tests of a class, started by the first that needs it. What they look at is kept in artifacts/interactive.</summary>
public sealed class Browser : IAsyncLifetime
{
    private IPlaywright? playwright;
    private IBrowser? chromium;

    public static string Artifact(string name) => Path.Combine(Directory.CreateDirectory(Path.Combine(Repository.Root, "artifacts", "interactive")).FullName, name);

    /// <summary>Opens a page from a file; what it says on its console and asks of the network are problems.</summary>
    public async Task<IPage> OpenAsync(string html, List<string> problems, bool scripts = true)
    {
        playwright ??= await Playwright.CreateAsync();
        chromium ??= await playwright.Chromium.LaunchAsync(new()
        {
            ExecutablePath = Chromium.Find(),
            Args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"],
        });
        var file = Artifact($"{Guid.NewGuid():N}.html");
        await File.WriteAllTextAsync(file, html);
        var page = await (await chromium.NewContextAsync(new() { JavaScriptEnabled = scripts })).NewPageAsync();
        page.Console += (_, message) => problems.Add(message.Text);
        page.PageError += (_, error) => problems.Add(error);
        page.Request += (_, request) =>
        {
            if (!request.Url.StartsWith("file:", StringComparison.Ordinal) && !request.Url.StartsWith("data:", StringComparison.Ordinal)) problems.Add("asked the network for " + request.Url);
        };
        await page.GotoAsync(new Uri(file).AbsoluteUri);
        File.Delete(file);
        return page;
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        if (chromium is not null) await chromium.CloseAsync();
        playwright?.Dispose();
    }
}
