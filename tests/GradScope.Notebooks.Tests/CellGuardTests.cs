namespace GradScope.Notebooks.Tests;

public sealed class CellGuardTests
{
    private const string Turn = "global::GradScope.Notebooks.CellGuard.OnTurn();", Call = "global::GradScope.Notebooks.CellGuard.OnCall();";

    [Theory]
    [InlineData("while (a) { b(); }", $"while (a) {{{Turn} b(); }}")]
    [InlineData("for (;;)\n  // why\n  b();\nc();", $"for (;;)\n  // why\n  {{{Turn}b();}}\nc();")]
    [InlineData("foreach (var x in y) foreach (var (a, b) in x) ;", $"foreach (var x in y) {{{Turn}foreach (var (a, b) in x) {{{Turn};}}}}")]
    [InlineData("do x++; while (x < 3);", $"do {{{Turn}x++;}} while (x < 3);")]
    [InlineData("void F() { } int G() => 1;", $"void F() {{{Call} }} int G() => 1;")]
    [InlineData("class C { void M() { while (true) ; } }", $"class C {{ void M() {{{Call} while (true) {{{Turn};}} }} }}")]
    [InlineData("var s = \"while (true) { }\"; // for (;;) { }", "var s = \"while (true) { }\"; // for (;;) { }")]
    public void Guards_stand_in_loops_and_functions_and_move_no_line(string code, string guarded) =>
        Assert.Equal(guarded, CellGuard.Insert(code));

    [Theory]
    [InlineData("while (")]
    [InlineData("for (;;)")]
    [InlineData("void F() {")]
    public void Unfinished_code_does_no_harm(string code) => Assert.Contains(code[..3], CellGuard.Insert(code));
}
