using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Text;
using Microsoft.AspNetCore.Html;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Scripting;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Scripting;
using Microsoft.CodeAnalysis.Scripting.Hosting;
using Microsoft.DotNet.Interactive.Formatting;

namespace GradScope.Notebooks;

/// <summary>How a cell ended.</summary>
/// <param name="ExecutionCount">The number of the run in its session, from 1; errors call the cell by it.</param>
/// <param name="Error">Why it failed, as it was published; null where it did not.</param>
/// <param name="WasStopped">It was cancelled; nothing is published for that.</param>
/// <param name="Elapsed">Wall time, compiling included.</param>
public sealed record CellResult(int ExecutionCount, CellOutput.Error? Error, bool WasStopped, TimeSpan Elapsed)
{
    /// <summary>The cell ran to its end.</summary>
    public bool Succeeded => Error is null && !WasStopped;
}

/// <summary>
/// A C# notebook session: cells run one after another and see what earlier ones declared, may declare it anew, may await,
/// and show the value of a last expression without a semicolon. The default imports are those of .NET Interactive.
/// </summary>
public sealed class CSharpSession : IDisposable
{
    /// <summary>Polyglot's imports and no others: a notebook that passes here passes there.</summary>
    private static readonly string[] imports =
        ["System", "System.Text", "System.Collections", "System.Collections.Generic", "System.Threading.Tasks", "System.Linq"];

    private static readonly Lazy<ImmutableArray<string>> framework = new(FindFramework);
    private static readonly Lazy<Task> warm = new(() => Task.Run(CompileSomething));

    private readonly SessionOptions session;
    private readonly InteractiveAssemblyLoader loader = new();
    private readonly Dictionary<string, string[]> sources = [];
    private readonly HashSet<string> loaded = new(StringComparer.OrdinalIgnoreCase);
    private readonly ExceptionReport report;
    private ScriptOptions options;
    private ScriptState<object>? state;
    private int executionCount;
    private int isRunning;

    /// <summary>Starts an empty session.</summary>
    public CSharpSession(SessionOptions? session = null)
    {
        this.session = session ??= new();
        report = new(sources);
        options = BaseOptions(session.Folder);
        Refer([typeof(Formatter).Assembly, typeof(IHtmlContent).Assembly, typeof(CellDisplay).Assembly, .. session.References]);
        CellConsole.Install();
    }

    /// <summary>Gets the compiler ready in the background, so that the first cell need not wait for it.</summary>
    public static void WarmUp() => _ = warm.Value;

    /// <summary>
    /// Runs one cell and publishes its outputs in order, each before the next is made. <paramref name="stop"/> ends the
    /// cell, be it computing or waiting, and leaves the session usable with what earlier cells declared.
    /// </summary>
    /// <param name="code">The cell's text, directives included.</param>
    /// <param name="publish">Receives the outputs, from the cell's threads, one at a time.</param>
    /// <param name="language">What the cell is written in unless it says so itself: csharp, markdown or html.</param>
    /// <param name="stop">Stops the cell.</param>
    /// <exception cref="InvalidOperationException">Another cell of this session is still running.</exception>
    public async Task<CellResult> ExecuteAsync(string code, Action<CellOutput> publish, string language = "csharp", CancellationToken stop = default)
    {
        if (Interlocked.Exchange(ref isRunning, 1) == 1)
            throw new InvalidOperationException("ExecuteAsync: a cell of this session is still running; await it first");
        CellConsole.Install();
        var clock = Stopwatch.StartNew();
        var cell = $"cell {++executionCount}";
        var context = new CellContext(publish, stop);
        try
        {
            CellOutput.Error? error = null;
            var execution = new CellExecution(stray => context.Publish(new CellOutput.Stream("stderr", $"{stray}\n")));
            var end = await execution.RunAsync(async () =>
            {
                CellContext.Current = context;
                error = await RunAsync(code, language, cell, context, clock, stop);
            }, stop).ConfigureAwait(false);
            context.Close();
            if (end == CellEnd.LeftBehind)
                publish(new CellOutput.Stream("stderr", "The cell is inside of library code that cannot be stopped; that goes on in the background.\n"));
            if (end == CellEnd.Ran && error is not null)
                publish(error);
            return new(executionCount, end == CellEnd.Ran ? error : null, end != CellEnd.Ran, clock.Elapsed);
        }
        finally
        {
            context.Close();
            isRunning = 0;
        }
    }

    /// <summary>Lets go of the assemblies that cells referred to by path.</summary>
    public void Dispose() => loader.Dispose();

    private async Task<CellOutput.Error?> RunAsync(string code, string language, string cell, CellContext context, Stopwatch clock, CancellationToken stop)
    {
        try
        {
            var script = CellScript.Parse(code, language);
            sources[cell] = code.ReplaceLineEndings("\n").Split('\n');
            foreach (var request in script.Packages)
                Load(request, context);
            foreach (var part in script.Parts)
            {
                var error = part.Language == "csharp"
                    ? await RunAsync(part.Text, cell, context, stop)
                    : Show(part, context);
                if (error is not null)
                    return error;
            }
            if (script.IsTimed)
                context.Display(string.Create(CultureInfo.InvariantCulture, $"Wall time: {clock.Elapsed.TotalMilliseconds:0.#} ms"));
            return null;
        }
        catch (DirectiveException error)
        {
            return ExceptionReport.Of(error, cell);
        }
    }

    private async Task<CellOutput.Error?> RunAsync(string code, string cell, CellContext context, CancellationToken stop)
    {
        if (string.IsNullOrWhiteSpace(code))
            return null;
        var script = Create(CellGuard.Insert(code), cell);
        if (HasErrors(script.Compile(stop)))
        {
            // Without the guards, columns are those of the author.
            script = Create(code, cell);
            if (script.Compile(stop) is var diagnostics && HasErrors(diagnostics))
                return report.Of(diagnostics, cell);
        }

        // A failed run is a state too: what the cell declared before it failed stays.
        Exception? thrown = null;
        bool Keep(Exception error)
        {
            thrown = error;
            return true;
        }
        state = state is null
            ? await script.RunAsync(globals: null, Keep, stop)
            : await script.RunFromAsync(state, Keep, stop);
        if (thrown is not null)
            return report.Of(thrown, cell);
        if (EndsInValue(script.GetCompilation()))
            context.Publish(new CellOutput.Result(MimeBundle.Of(state.ReturnValue)));
        return null;
    }

    private Script<object> Create(string code, string cell) => state is null
        ? CSharpScript.Create<object>(code, options.WithFilePath(cell), assemblyLoader: loader)
        : state.Script.ContinueWith<object>(code, options.WithFilePath(cell));

    private static bool HasErrors(ImmutableArray<Diagnostic> diagnostics) =>
        diagnostics.Any(diagnostic => diagnostic.Severity == DiagnosticSeverity.Error);

    /// <summary>Whether the last line is an expression without a semicolon that has a value, null included.</summary>
    private static bool EndsInValue(Compilation compilation)
    {
        // What a cell loads comes before the cell itself.
        var tree = compilation.SyntaxTrees.Last();
        return tree.GetCompilationUnitRoot().Members.LastOrDefault() is GlobalStatementSyntax { Statement: ExpressionStatementSyntax last }
            && last.SemicolonToken.IsMissing
            && compilation.GetSemanticModel(tree).GetTypeInfo(last.Expression).Type is not { SpecialType: SpecialType.System_Void };
    }

    private static CellOutput.Error? Show(CellPart part, CellContext context)
    {
        var text = part.Text.Trim('\n');
        if (text.Length > 0)
            context.Publish(new CellOutput.Display(new MimeBundle($"text/{part.Language}", text), Id: null));
        return null;
    }

    private void Load(PackageRequest request, CellContext context)
    {
        var provided = session.Packages.FirstOrDefault(package => package.Id.Equals(request.Id, StringComparison.OrdinalIgnoreCase))
            ?? throw new DirectiveException(
                $"#r \"nuget: {request.Id}\": this host does not restore packages; it carries {Carried()}. "
                + "Refer to a built assembly with #r \"path/to/its.dll\"", request.Line);
        if (request.Version.Length > 0 && request.Version != provided.Version && request.Version != "*")
            context.Publish(new CellOutput.Stream("stderr",
                $"{provided.Id} {request.Version} is asked for; this host carries {provided.Version} and goes on with it.\n"));
        if (!loaded.Add(provided.Id))
            return;
        Refer(provided.Assemblies);
        provided.OnLoad?.Invoke();
    }

    private string Carried() => session.Packages.Count == 0 ? "none" : string.Join(", ", session.Packages.Select(package => package.Id));

    private void Refer(IEnumerable<Assembly> assemblies)
    {
        foreach (var assembly in assemblies)
        {
            loader.RegisterDependency(assembly);
            options = options.AddReferences(MetadataReference.CreateFromFile(assembly.Location));
        }
    }

    /// <summary>
    /// References are this session's own: the compiler caches types with them, and types cached for one session do not
    /// fit what another has compiled.
    /// </summary>
    private static ScriptOptions BaseOptions(string folder) => ScriptOptions.Default
        .WithReferences(framework.Value.Select(path => MetadataReference.CreateFromFile(path)))
        .WithImports([.. imports, typeof(CellDisplay).FullName!])
        .WithMetadataResolver(ScriptMetadataResolver.Default.WithBaseDirectory(folder))
        .WithSourceResolver(ScriptSourceResolver.Default.WithBaseDirectory(folder))
        .WithOptimizationLevel(OptimizationLevel.Release)
        .WithEmitDebugInformation(true)
        .WithFileEncoding(Encoding.UTF8)
        .WithLanguageVersion(LanguageVersion.Latest)
        .WithAllowUnsafe(true);

    private static ImmutableArray<string> FindFramework()
    {
        var trusted = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator);
        var folder = Path.GetDirectoryName(typeof(object).Assembly.Location)!;
        return [.. trusted.Where(path => Path.GetDirectoryName(path) == folder)];
    }

    private static async Task CompileSomething()
    {
        using var session = new CSharpSession();
        await session.ExecuteAsync("var x = 1; x", _ => { }).ConfigureAwait(false);
    }
}
