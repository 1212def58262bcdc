using GradScope.Cli;
using GradScope.Notebooks;

namespace GradScope.Jupyter.Tests;

public sealed class CompletionTests : IDisposable
{
    private readonly CSharpSession session = new(new() { Packages = HostPackages.All });

    public void Dispose() => session.Dispose();

    [Theory]
    [InlineData("Console.WriteL|", "WriteLine")]
    [InlineData("earl|", "earlier")]
    [InlineData("earlier.Tot|", "TotalDays", "TotalHours", "TotalMicroseconds", "TotalMilliseconds", "TotalMinutes", "TotalNanoseconds", "TotalSeconds")]
    [InlineData("Twice(earlier).TotalD|", "TotalDays")]
    [InlineData("new Pair(1, 2).Lef|", "Left")]
    [InlineData("#!time\r\n\r\nearlier.TotalD|\r\n1", "TotalDays")]
    [InlineData("#r \"nuget: GradScope\"\nearlier.TotalD|", "TotalDays")]
    [InlineData("Stopw|", "Stopwatch")]
    [InlineData("again.Subst|", "Substring")]
    [InlineData("again.subst|", "Substring")]
    [InlineData("disp|", "display")]
    [InlineData("foreac|", "foreach")]
    [InlineData("failedBefor|")]
    [InlineData("#!markdown\nConsole.Wri|")]
    [InlineData("#r \"nuget: \"\nConsole.Wri|")]
    [InlineData("\"Console.Wri|\"")]
    public async Task A_word_is_completed_over_the_cells_before(string code, params string[] expected)
    {
        await RunAsync("var earlier = TimeSpan.Zero; var again = 1;");
        await RunAsync("using System.Diagnostics;\nTimeSpan Twice(TimeSpan time) => 2 * time; record Pair(int Left, int Right);");
        await RunAsync("var failedBefore = 1; nope");
        await RunAsync("var again = \"\"; while (again.Length < 0) { }");
        await CompleteAsync("1|");
        await RunAsync("var last = 1;");
        Assert.Equal(expected, await CompleteAsync(code));
    }

    [Fact]
    public async Task Types_of_a_package_are_known_after_its_cell()
    {
        Assert.Empty(await CompleteAsync("new MiniT|"));
        await RunAsync("#r \"nuget: GradScope\"\nusing GradScope;");
        Assert.Contains("MiniTransformer", await CompleteAsync("new MiniT|"));
        Assert.Contains("Backward", await CompleteAsync("new Tape().Backw|"));
    }

    [Theory]
    [InlineData("Math.Ma|x(1, 2)", "int Math.Max(int val1, int val2)")]
    [InlineData("Math.Max(1, |", "Math.Max(")]
    [InlineData("new System.Text.StringBuilder(|)", "StringBuilder.StringBuilder()")]
    [InlineData("new Tape().Back|ward", "void Tape.Backward(Node loss")]
    [InlineData("new Tape().Back|ward", "each node adding to its inputs' gradients")]
    [InlineData("kep|t", "(field) int kept")]
    public async Task A_name_is_explained_by_signature_and_documentation(string code, string expected)
    {
        await RunAsync("#r \"nuget: GradScope\"\nusing GradScope; var kept = 1;");
        var (text, index) = Cursor(code);
        var found = await session.Completion.InspectAsync(text, index);
        Assert.True(found!.TryGet("text/plain", out var plain));
        Assert.Contains(expected, plain);
    }

    [Fact]
    public async Task What_documentation_says_is_text_in_HTML_too()
    {
        await RunAsync("/// <summary>Is <c>a &lt; b</c>.</summary>\nbool Less(int a, int b) => a < b; List<int> list;");
        var found = await session.Completion.InspectAsync("list", 1);
        Assert.True(found!.TryGet("text/html", out var html));
        Assert.Equal("<pre>(field) List&lt;int&gt; list</pre>", html);
    }

    private async Task RunAsync(string code) => await session.ExecuteAsync(code, _ => { });

    private async Task<IEnumerable<string>> CompleteAsync(string code)
    {
        var (text, index) = Cursor(code);
        var found = await session.Completion.CompleteAsync(text, index);
        Assert.All(found.Items, item => Assert.StartsWith(text[found.Start..index], item.Text, StringComparison.OrdinalIgnoreCase));
        return found.Items.Select(item => item.Text);
    }

    private static (string, int) Cursor(string code) => (code.Replace("|", "", StringComparison.Ordinal), code.IndexOf('|', StringComparison.Ordinal));
}
