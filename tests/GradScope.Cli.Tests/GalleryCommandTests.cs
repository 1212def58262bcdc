using System.Text.RegularExpressions;

namespace GradScope.Cli.Tests;

public sealed class GalleryCommandTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("gradscope-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task Every_figure_is_on_each_page_and_the_same_each_time()
    {
        var pages = Path.Combine(folder, "pages");
        var (code, output, error) = await RunAsync("gallery", "--html", pages);
        Assert.Equal((0, ""), (code, error));
        Assert.Equal(["dark.html", "index.html", "light.html"], Directory.GetFiles(pages).Select(Path.GetFileName).Order());
        Assert.All(Directory.GetFiles(pages), file => Assert.Contains($"  {file}\n", output));

        var index = File.ReadAllText(Path.Combine(pages, "index.html"));
        string[] titles = ["Backprop, step by step", "Run: names", "Gradient flow", "Attention", "Predictions", "Training: names", "Gradient history: names", "blocks.0.mlp.post", "Tape of an expression", "Tape of a transformer", "Gradient check"];
        Assert.All(titles, title => Assert.Contains($"<h2>{title}</h2>", index));
        Assert.Equal(12, Regex.Count(index, "<section "));
        Assert.DoesNotMatch(@"(src|href)=""(https?:|//)", index);
        Assert.Contains("data-theme=\"dark\"", File.ReadAllText(Path.Combine(pages, "dark.html")));
        Assert.Contains("<strong>light</strong>", File.ReadAllText(Path.Combine(pages, "light.html")));

        Assert.Equal(0, (await RunAsync("gallery", "--html", pages)).Code);
        Assert.Equal(index, File.ReadAllText(Path.Combine(pages, "index.html")));
    }

    [Fact]
    public async Task What_cannot_be_written_gives_2()
    {
        var file = Path.Combine(folder, "a.txt");
        File.WriteAllText(file, "");
        var (code, _, error) = await RunAsync("gallery", "--html", file);
        Assert.Equal((2, $"{file} is a file; name a folder\n"), (code, error));
        Assert.Equal(2, (await RunAsync("gallery")).Code);
    }

    private static async Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments)
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var error = new StringWriter { NewLine = "\n" };
        var code = await CommandLine.InvokeAsync(arguments, output, error);
        return (code, output.ToString(), error.ToString());
    }
}
