using System.Globalization;
using System.Text.Json.Nodes;
using GradScope.Testing;

namespace GradScope.Notebooks.Tests;

public sealed class NotebookParameterTests
{
    private const string Declarations = "const int n = 1;\nvar rate = 2e-3f; double half = 0.5; string? name = null;\nvar deep = -1; var exact = 1m; bool fast = false; var sign = '+'; var big = 1L; var made = new[] { 1 };";

    [Theory]
    [InlineData("n", "3", "int n = 3;")]
    [InlineData("n", "1e3", "int n = 1000;")]
    [InlineData("rate", "0.1", "float rate = 0.1f;")]
    [InlineData("rate", "1e-7", "float rate = 1E-07f;")]
    [InlineData("half", "3", "double half = 3d;")]
    [InlineData("name", "a \"b\"\\\n", "string name = \"a \\\"b\\\"\\\\\\n\";")]
    [InlineData("name", "", "string name = \"\";")]
    [InlineData("deep", "-7", "int deep = -7;")]
    [InlineData("exact", "0.10", "decimal exact = 0.10m;")]
    [InlineData("fast", "True", "bool fast = true;")]
    [InlineData("sign", "'", "char sign = '\\'';")]
    [InlineData("big", "-9000000000", "long big = -9000000000L;")]
    public async Task A_value_becomes_a_literal_of_the_parameters_type_which_later_cells_see(string name, string value, string line)
    {
        var before = CultureInfo.CurrentCulture;
        CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo("de-DE");
        try
        {
            var notebook = Notebook();
            NotebookParameters.Set(notebook, new Dictionary<string, string> { [name] = value });
            Assert.Equal($"// Parameters\n{line}", notebook.Cells[2].Source);
            using var cells = new Cells();
            foreach (var cell in notebook.Cells.Where(cell => cell.Kind == CellKind.Code))
                Assert.True((await cells.RunAsync(cell.Source)).Succeeded);
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    [Fact]
    public void The_cell_stands_after_its_declarations_and_is_replaced_the_next_time()
    {
        var notebook = Notebook();
        NotebookParameters.Set(notebook, new Dictionary<string, string> { ["n"] = "3", ["rate"] = "1" });
        Assert.Equal((5, CellKind.Code, "injected-parameters"), (notebook.Cells.Count, notebook.Cells[2].Kind, notebook.Cells[2].Id));
        Assert.Equal(["injected-parameters"], notebook.Cells[2].Tags);
        var again = NotebookDocument.Parse(notebook.ToJson(), "again.ipynb");
        Assert.Equal(notebook.ToJson(), again.ToJson());
        NotebookParameters.Set(again, new Dictionary<string, string> { ["half"] = "1" });
        Assert.Equal((5, "// Parameters\ndouble half = 1d;"), (again.Cells.Count, again.Cells[2].Source));
    }

    [Theory]
    [InlineData("steps", "3", "p.ipynb: there is no parameter steps; the cell tagged \"parameters\" declares n (int), rate (float), half (double), name (string), deep (int), exact (decimal), fast (bool), sign (char), big (long), made (var)")]
    [InlineData("n", "3.5", "p.ipynb: n is of type int, and '3.5' is no int")]
    [InlineData("n", "many", "p.ipynb: n is of type int, and 'many' is no int")]
    [InlineData("half", "1,5", "p.ipynb: half is of type double, and '1,5' is no double")]
    [InlineData("half", "NaN", "p.ipynb: half is of type double, and 'NaN' is no double")]
    [InlineData("fast", "yes", "p.ipynb: fast is of type bool, and 'yes' is no bool")]
    [InlineData("made", "1", "p.ipynb: made is of type var, which cannot be set from outside; declare it as one of bool, byte, short, int, uint, long, ulong, float, double, decimal, char, string")]
    public void What_is_not_there_or_does_not_fit_is_refused_by_name(string name, string value, string message)
    {
        var notebook = Notebook();
        var error = Assert.Throws<NotebookParameterException>(() => NotebookParameters.Set(notebook, new Dictionary<string, string> { [name] = value }));
        Assert.Equal(message, error.Message);
        Assert.Equal(4, notebook.Cells.Count);
    }

    [Fact]
    public void A_notebook_without_parameters_says_how_to_have_them()
    {
        var notebook = NotebookDocument.Create("p.dib", [(CellKind.Code, "var n = 1;", null)]);
        var error = Assert.Throws<NotebookParameterException>(() => NotebookParameters.Set(notebook, new Dictionary<string, string> { ["n"] = "3" }));
        Assert.Equal("p.dib: n cannot be set, since no code cell is tagged \"parameters\"; tag the one that declares n (a .dib file has no tags: save it as .ipynb)", error.Message);
    }

    [RequiresFact(Tool.NbFormat)]
    public void What_is_written_is_valid_nbformat_also_beside_a_cell_of_the_same_id()
    {
        using var scratch = new Scratch();
        var notebook = NotebookDocument.Parse(Notebook().ToJson().Replace("\"id\": \"c\"", "\"id\": \"injected-parameters\"", StringComparison.Ordinal), "p.ipynb");
        NotebookParameters.Set(notebook, new Dictionary<string, string> { ["n"] = "3" });
        Assert.Equal(5, notebook.Cells.Select(cell => cell.Id).Distinct().Count());
        var path = scratch.Write("p.ipynb", notebook.ToJson());
        Tool.Run(Tool.Python, "-c", "import sys, nbformat; nbformat.validate(nbformat.read(sys.argv[1], as_version=nbformat.NO_CONVERT))", path);
    }

    private static NotebookDocument Notebook() => NotebookDocument.Parse(new JsonObject
    {
        ["cells"] = new JsonArray(
            Cell("a", "markdown", "# parameters", "parameters"),
            Cell("b", "code", Declarations, "parameters"),
            Cell("c", "code", "n + 1"),
            Cell("d", "code", "rate * 2")),
        ["metadata"] = new JsonObject(),
        ["nbformat"] = 4,
        ["nbformat_minor"] = 5,
    }.ToJsonString(), "p.ipynb");

    private static JsonObject Cell(string id, string type, string source, params string[] tags)
    {
        var cell = new JsonObject
        {
            ["cell_type"] = type,
            ["id"] = id,
            ["metadata"] = new JsonObject { ["tags"] = new JsonArray([.. tags.Select(tag => JsonValue.Create(tag))]) },
            ["source"] = source,
        };
        if (type == "code")
            (cell["execution_count"], cell["outputs"]) = (null, new JsonArray());
        return cell;
    }
}
