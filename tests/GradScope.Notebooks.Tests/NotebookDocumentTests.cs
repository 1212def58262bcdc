using System.Text;
using GradScope.Testing;

namespace GradScope.Notebooks.Tests;

public sealed class NotebookDocumentTests
{
    /// <summary>What Jupyter itself would write, with things in it that this host does not know.</summary>
    private const string Rich = """
        {
         "cells": [
          {
           "attachments": {
            "dot.png": {
             "image/png": "iVBORw0KGgo="
            }
           },
           "cell_type": "markdown",
           "id": "intro-1",
           "metadata": {
            "zebra": [
             1,
             1.50,
             1e-7,
             true,
             null
            ],
            "apple": {}
           },
           "source": [
            "# Größe <b> ∂ 𝛿 😀\n",
            "\n",
            "say \"hi\" & \\ tab\there"
           ]
          },
          {
           "cell_type": "code",
           "execution_count": 7,
           "id": "code_2",
           "metadata": {
            "tags": [
             "parameters"
            ]
           },
           "outputs": [
            {
             "data": {
              "application/vnd.x+json": {
               "b": 1,
               "a": []
              },
              "text/plain": [
               "1"
              ]
             },
             "execution_count": 7,
             "metadata": {
              "isolated": true
             },
             "output_type": "execute_result"
            }
           ],
           "source": []
          },
          {
           "cell_type": "raw",
           "id": "r",
           "metadata": {},
           "source": [
            "raw"
           ]
          }
         ],
         "metadata": {
          "language_info": {
           "name": "C#"
          },
          "custom": "kept"
         },
         "nbformat": 4,
         "nbformat_minor": 5,
         "unknown": {
          "kept": [
           []
          ]
         }
        }

        """;

    [Fact]
    public void What_is_not_changed_is_written_as_it_was_read() =>
        Assert.Equal(Rich.ReplaceLineEndings("\n"), NotebookDocument.Parse(Rich, "rich.ipynb").ToJson());

    [Fact]
    public void A_cell_is_read_with_its_kind_source_tags_and_count()
    {
        var notebook = NotebookDocument.Parse(Rich, "rich.ipynb");
        Assert.Equal([CellKind.Markdown, CellKind.Code, CellKind.Raw], notebook.Cells.Select(cell => cell.Kind));
        Assert.Equal("# Größe <b> ∂ 𝛿 😀\n\nsay \"hi\" & \\ tab\there", notebook.Cells[0].Source);
        Assert.Equal((7, "parameters", "code_2"), (notebook.Cells[1].ExecutionCount, notebook.Cells[1].Tags.Single(), notebook.Cells[1].Id));
        Assert.Equal("Größe  ∂ 𝛿 😀", notebook.Title);
    }

    [Fact]
    public void Missing_ids_are_made_from_place_and_text_and_are_unique()
    {
        const string old = """{"cells":[{"cell_type":"code","execution_count":null,"metadata":{},"outputs":[],"source":"a\nb"},{"cell_type":"code","execution_count":null,"metadata":{},"outputs":[],"source":"a\nb"}],"metadata":{},"nbformat":4,"nbformat_minor":2}""";
        var first = NotebookDocument.Parse(old, "old.ipynb");
        var second = NotebookDocument.Parse(old, "old.ipynb");
        Assert.Equal(first.ToJson(), second.ToJson());
        Assert.Equal(2, first.Cells.Select(cell => cell.Id).Distinct().Count());
        Assert.All(first.Cells, cell => Assert.Matches("^[0-9a-f]{8}$", cell.Id));
        Assert.Contains("\"nbformat_minor\": 5", first.ToJson());
        Assert.Contains("\"a\\n\",\n    \"b\"", first.ToJson());
    }

    [Theory]
    [InlineData("{ \"cells\": [\n  nope", "line 2")]
    [InlineData("", "line 1")]
    [InlineData("[]", "the file is array, but must be an object")]
    [InlineData("{\"cells\": []}", "nbformat is missing, but must be a number")]
    [InlineData("{\"nbformat\": 3, \"worksheets\": []}", "nbformat is 3, this host reads 4")]
    [InlineData("{\"nbformat\": 4}", "cells is missing, but must be a list")]
    [InlineData("{\"nbformat\": 4, \"cells\": [1]}", "cells[0] is number 1, but must be an object")]
    [InlineData("{\"nbformat\": 4, \"cells\": [{\"cell_type\": \"heading\"}]}", "cells[0].cell_type is string \"heading\"")]
    [InlineData("{\"nbformat\": 4, \"cells\": [{\"cell_type\": \"code\", \"source\": 3}]}", "cells[0].source is number 3")]
    [InlineData("{\"nbformat\": 4, \"cells\": [{\"cell_type\": \"code\", \"source\": [3]}]}", "cells[0].source is array")]
    [InlineData("{\"nbformat\": 4, \"cells\": [{\"cell_type\": \"code\", \"source\": \"\", \"metadata\": []}]}", "cells[0].metadata is array")]
    [InlineData("{\"nbformat\": 4, \"cells\": [{\"cell_type\": \"code\", \"source\": \"\", \"outputs\": [4]}]}", "cells[0].outputs is number 4")]
    [InlineData("{\"nbformat\": 4, \"cells\": [], \"metadata\": 5}", "metadata is number 5")]
    [InlineData("{\"nbformat\": 4, \"cells\": [], \"cells\": []}", "not valid JSON")]
    [InlineData("{\"nbformat\": 4, \"cells\": [{\"cell_type\": \"raw\", \"source\": \"\", \"id\": \"a\"}, {\"cell_type\": \"raw\", \"source\": \"\", \"id\": \"a\"}]}", "two cells have the id \"a\"")]
    public void A_malformed_notebook_is_told_by_file_place_fault_and_remedy(string json, string fault)
    {
        var error = Assert.Throws<NotebookFormatException>(() => NotebookDocument.Parse(json, "lesson.ipynb"));
        Assert.StartsWith("lesson.ipynb: ", error.Message);
        Assert.Contains(fault, error.Message);
        Assert.Contains("save it again", error.Message);
    }

    [Fact]
    public void Odd_but_harmless_metadata_does_no_harm()
    {
        var notebook = NotebookDocument.Parse("""{"nbformat":4,"nbformat_minor":5,"metadata":{"kernelspec":"x","language_info":[]},"cells":[{"id":"a","cell_type":"code","source":"","metadata":{"tags":"x","polyglot_notebook":3}}]}""", "n");
        Assert.Null(notebook.Language);
        Assert.Empty(notebook.Cells[0].Tags);
        Assert.Null(notebook.Cells[0].Language);
        Assert.Equal("n", notebook.Title);
    }

    [Theory]
    [InlineData("""{"kernelspec":{"language":"python"}}""", "its language is python")]
    [InlineData("""{"language_info":{"name":"julia"}}""", "its language is julia")]
    [InlineData("""{"kernelspec":{"name":"python3"}}""", "its kernel is python3")]
    [InlineData("""{"kernelspec":{"name":".net-fsharp"}}""", "its kernel is .net-fsharp")]
    public void Another_language_is_refused(string metadata, string fault)
    {
        var other = NotebookDocument.Parse($$"""{"nbformat":4,"nbformat_minor":5,"metadata":{{metadata}},"cells":[]}""", "p.ipynb");
        Assert.StartsWith($"p.ipynb: {fault}. ", Assert.Throws<NotebookFormatException>(other.RequireCSharp).Message);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"kernelspec":{"name":".net-csharp"}}""")]
    [InlineData("""{"kernelspec":{"name":"gradscope"}}""")]
    [InlineData("""{"kernelspec":{"name":"whatever","language":"C#"}}""")]
    public void CSharp_is_taken_however_it_is_noted(string metadata) =>
        NotebookDocument.Parse($$"""{"nbformat":4,"nbformat_minor":5,"metadata":{{metadata}},"cells":[]}""", "p.ipynb").RequireCSharp();

    [Fact]
    public void Writing_replaces_the_file_and_leaves_nothing_beside_it()
    {
        using var scratch = new Scratch();
        var path = scratch.Write("a.ipynb", "old");
        NotebookDocument.Parse(Rich, path).Save(path);
        Assert.Equal(Rich.ReplaceLineEndings("\n"), File.ReadAllText(path));
        Assert.NotEqual(0xEF, File.ReadAllBytes(path)[0]);
        Assert.Equal([path], Directory.GetFiles(scratch.Folder));
    }

    [Fact]
    public void A_write_that_fails_leaves_the_old_file_whole_and_nothing_beside_it()
    {
        using var scratch = new Scratch();
        var inner = Path.Combine(scratch.Folder, "a.ipynb");
        Directory.CreateDirectory(inner);
        Assert.ThrowsAny<Exception>(() => AtomicFile.WriteAllText(inner, "text"));
        Assert.Equal([inner], Directory.GetFileSystemEntries(scratch.Folder));

        var missing = Path.Combine(scratch.Folder, "new", "b.txt");
        AtomicFile.WriteAllText(missing, "ä");
        Assert.Equal(Encoding.UTF8.GetBytes("ä"), File.ReadAllBytes(missing));
    }

    [Fact]
    public void A_dib_file_becomes_cells()
    {
        using var scratch = new Scratch();
        var path = scratch.Write("a.dib", "#!meta\n\n{\"kernelInfo\":{}}\n\n#!markdown\n\n# Title\n\n#!csharp\n\n#!time\nvar a = 1;\n\na\n\n#!html\n\n<b>x</b>\n");
        var notebook = NotebookDocument.Load(path);
        Assert.Equal([(CellKind.Markdown, "# Title"), (CellKind.Code, "#!time\nvar a = 1;\n\na"), (CellKind.Code, "<b>x</b>")],
            notebook.Cells.Select(cell => (cell.Kind, cell.Source)));
        Assert.Equal("html", notebook.Cells[2].Language);
        Assert.Equal("C#", notebook.Language);
    }
}
