using System.Text.Encodings.Web;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Completion;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Host;
using Microsoft.CodeAnalysis.QuickInfo;
using Microsoft.CodeAnalysis.Scripting;
using Microsoft.CodeAnalysis.Tags;
using Microsoft.CodeAnalysis.Text;

namespace GradScope.Notebooks;

/// <summary>What may stand between two indices of the code.</summary>
internal sealed record Completions(int Start, int End, IReadOnlyList<CompletionChoice> Items);

/// <summary>A word to choose, and what it is: method, property, class, keyword and so on.</summary>
internal sealed record CompletionChoice(string Text, string Kind);

/// <summary>
/// Completes and explains a cell that is being written, by Roslyn's own services. Every earlier cell is a project that the
/// next one refers to, as submissions are chained when they run.
/// </summary>
/// <param name="snapshot">The last cell that ran, and with what the next would be compiled.</param>
internal sealed class CodeCompletion(Func<(Script? Last, ScriptOptions Options)> snapshot)
{
    private static readonly Lazy<HostServices> services = new(CompletionHost.Create);
    private static readonly CSharpParseOptions parsing = new(LanguageVersion.Latest, kind: SourceCodeKind.Script);

    private readonly SemaphoreSlim turn = new(1);
    private readonly Dictionary<Script, DocumentId> cells = [];
    private Solution? solution;
    private DocumentId? draft;
    private Script? draftAfter;
    private ScriptOptions? draftOptions;

    /// <summary>
    /// Whether a cell is <c>complete</c>, <c>incomplete</c> (with the blanks that its next line might start with) or
    /// <c>invalid</c>.
    /// </summary>
    public static (string Status, string Indent) IsComplete(string code)
    {
        if (CSharpText(code) is not { } text)
            return ("complete", "");
        var tree = CSharpSyntaxTree.ParseText(text, parsing);
        if (!SyntaxFactory.IsCompleteSubmission(tree))
            return ("incomplete", Indent(text));
        return (tree.GetDiagnostics().Any(diagnostic => diagnostic.Severity == DiagnosticSeverity.Error) ? "invalid" : "complete", "");
    }

    /// <summary>What may follow at an index of the code, the best fitting first.</summary>
    public async Task<Completions> CompleteAsync(string code, int index, CancellationToken cancel = default)
    {
        var none = new Completions(index, index, []);
        if (CSharpText(code) is not { } text || (index > 0 && text[index - 1] != code[index - 1]))
            return none;
        var document = await OpenAsync(text).ConfigureAwait(false);
        cancel.ThrowIfCancellationRequested();
        var service = CompletionService.GetService(document)!;
        var list = await service.GetCompletionsAsync(document, index, cancellationToken: cancel).ConfigureAwait(false);
        if (list.ItemsList.Count == 0)
            return none;
        var typed = text[list.Span.Start..index];
        var items = list.ItemsList
            .Where(item => !item.IsComplexTextEdit && !item.Tags.Contains(WellKnownTags.Snippet) && item.FilterText.StartsWith(typed, StringComparison.OrdinalIgnoreCase))
            .OrderByDescending(item => item.FilterText.StartsWith(typed, StringComparison.Ordinal))
            .ThenBy(item => item.SortText, StringComparer.OrdinalIgnoreCase)
            .Select(item => new CompletionChoice(Inserted(item), item.Tags.FirstOrDefault("Text").ToLowerInvariant()))
            .DistinctBy(item => item.Text);
        return new(list.Span.Start, list.Span.End, [.. items]);
    }

    /// <summary>Signature and documentation of what stands at an index, or of the call whose arguments do; null for nothing.</summary>
    public async Task<MimeBundle?> InspectAsync(string code, int index)
    {
        if (CSharpText(code) is not { } text)
            return null;
        var document = await OpenAsync(text).ConfigureAwait(false);
        var service = QuickInfoService.GetService(document)!;
        var root = await document.GetSyntaxRootAsync().ConfigureAwait(false);
        foreach (var place in Places(root!, index))
        {
            if (await service.GetQuickInfoAsync(document, place).ConfigureAwait(false) is { Sections.Length: > 0 } found)
                return Describe(found);
        }
        return null;
    }

    /// <summary>The word at the index, the one before it, then the names of the calls around it, from the inside.</summary>
    private static IEnumerable<int> Places(SyntaxNode root, int index)
    {
        yield return index;
        if (index > 0)
            yield return index - 1;
        for (var node = root.FindToken(Math.Max(0, index - 1)).Parent; node is not null; node = node.Parent)
        {
            var name = node switch
            {
                InvocationExpressionSyntax { Expression: MemberAccessExpressionSyntax member } => member.Name,
                InvocationExpressionSyntax call => call.Expression,
                ObjectCreationExpressionSyntax creation => creation.Type,
                _ => null,
            };
            if (name is not null)
                yield return name.SpanStart;
        }
    }

    private static MimeBundle Describe(QuickInfoItem found)
    {
        var signature = found.Sections[0].Text;
        var rest = found.Sections.Skip(1).Select(section => section.Text.Trim()).Where(text => text.Length > 0).ToList();
        var html = HtmlEncoder.Default;
        return new MimeBundle(
        [
            new("text/html", $"<pre>{html.Encode(signature)}</pre>{string.Concat(rest.Select(text => $"<p>{html.Encode(text).Replace("&#xA;", "<br>", StringComparison.Ordinal)}</p>"))}"),
            new("text/plain", string.Join("\n\n", [signature, .. rest])),
        ]);
    }

    private async Task<Document> OpenAsync(string code)
    {
        await turn.WaitAsync().ConfigureAwait(false);
        try
        {
            var (last, options) = snapshot();
            if (draft is null || last != draftAfter || options != draftOptions)
                Begin(last, options);
            // What was compiled for the draft as it stood serves the next one.
            solution = solution!.WithDocumentText(draft!, SourceText.From(code));
            return solution.GetDocument(draft)!;
        }
        finally
        {
            turn.Release();
        }
    }

    /// <summary>Gives the cell to be written a project after those of the cells that have run.</summary>
    private void Begin(Script? last, ScriptOptions options)
    {
        var current = solution ?? new AdhocWorkspace(services.Value).CurrentSolution;
        if (draft is not null)
            current = current.RemoveProject(draft.ProjectId);
        foreach (var script in Unknown(last))
            (current, cells[script]) = Add(current, script.Code, script.Options, script.Previous);
        (solution, draft) = Add(current, "", options, last);
        (draftAfter, draftOptions) = (last, options);
    }

    /// <summary>The cells that no project stands for yet, oldest first.</summary>
    private IEnumerable<Script> Unknown(Script? last)
    {
        var unknown = new Stack<Script>();
        for (var script = last; script is not null && !cells.ContainsKey(script); script = script.Previous)
            unknown.Push(script);
        return unknown;
    }

    private (Solution, DocumentId) Add(Solution to, string code, ScriptOptions options, Script? previous)
    {
        var id = ProjectId.CreateNewId();
        var name = $"cell{to.ProjectIds.Count}";
        var compilation = new CSharpCompilationOptions(
            OutputKind.DynamicallyLinkedLibrary,
            usings: options.Imports,
            allowUnsafe: true,
            metadataReferenceResolver: options.MetadataResolver,
            sourceReferenceResolver: options.SourceResolver);
        var document = DocumentInfo.Create(
            DocumentId.CreateNewId(id), name, sourceCodeKind: SourceCodeKind.Script,
            loader: TextLoader.From(TextAndVersion.Create(SourceText.From(code), VersionStamp.Create())));
        var with = to.AddProject(ProjectInfo.Create(
            id, VersionStamp.Create(), name, name, LanguageNames.CSharp,
            compilationOptions: compilation,
            parseOptions: parsing,
            documents: [document],
            projectReferences: previous is null ? [] : [new(cells[previous].ProjectId)],
            metadataReferences: options.MetadataReferences,
            isSubmission: true));
        return (with, document.Id);
    }

    /// <summary>The code with blanks in the place of all that is not C#, so that every index holds; null for a cell that is not well formed.</summary>
    private static string? CSharpText(string code)
    {
        try
        {
            var parts = CellScript.Parse(code, "csharp").Steps.OfType<CodeStep>().Where(part => part.Language == "csharp").Select(part => part.Text.Split('\n')).ToList();
            var lines = code.Split('\n');
            for (var i = 0; i < lines.Length; i++)
                if (parts.All(part => part[i].Length == 0))
                    lines[i] = new string(' ', lines[i].Length);
            return string.Join('\n', lines);
        }
        catch (DirectiveException)
        {
            return null;
        }
    }

    private static string Inserted(CompletionItem item) => item.Properties.GetValueOrDefault("InsertionText") ?? item.DisplayText;

    /// <summary>What the last line starts with, and four more after an opening brace or bracket.</summary>
    private static string Indent(string code)
    {
        var line = code.TrimEnd('\n').Split('\n')[^1];
        var blanks = line[..^line.TrimStart().Length];
        return line.TrimEnd() is [.., '{' or '(' or '['] ? blanks + "    " : blanks;
    }
}
