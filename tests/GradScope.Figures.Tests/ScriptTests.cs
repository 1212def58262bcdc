using System.Text;
using GradScope.Testing;

namespace GradScope.Figures.Tests;

/// <summary>The figures' script: small, its types right, its parts tested under node, and what C# packs is what it unpacks.</summary>
public sealed class ScriptTests
{
    [RequiresFact(Tool.Node, Tool.TypeScript)]
    public void Types_in_its_comments_are_right() => Tool.Run("node", Tool.TypeScriptCompiler, "--project", Path.Combine(Tool.ScriptFolder, "Script", "tsconfig.json"));

    [RequiresFact(Tool.Node)]
    public void Parts_do_what_they_say() => Tool.Run("node", "--test", Path.Combine(Tool.ScriptFolder, "Script", "script.test.js"));

    [Fact]
    public void Is_small_as_a_whole() => Assert.InRange(Encoding.UTF8.GetByteCount(FigureScript.Text), 1000, 30_000);

    [Theory]
    [InlineData("maps", 10_000)]
    [InlineData("rows", 5_000)]
    [InlineData("fold", 2_000)]
    [InlineData("tape", 10_000)]
    [InlineData("curves", 10_000)]
    [InlineData("attention", 20_000)]
    [InlineData("run", 20_000)]
    [InlineData("player", 30_000)]
    public void Is_small_in_each_figure(string kind, int bytes) => Assert.InRange(Encoding.UTF8.GetByteCount(FigureScript.For(kind)), 1000, bytes);

    [Fact]
    public void Calls_nobody()
    {
        foreach (var word in (string[])["http:", "https:", "fetch(", "XMLHttpRequest", "WebSocket", "import(", "eval(", "Function(", "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "require("])
        {
            Assert.DoesNotContain(word, FigureScript.Text.Replace("http://www.w3.org/2000/svg", "", StringComparison.Ordinal));
        }
    }
}
