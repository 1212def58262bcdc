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

    private const string ImportMagic = "import";

    private static readonly Assembly[] own = [typeof(Formatter).Assembly, typeof(IHtmlContent).Assembly, typeof(CellDisplay).Assembly];
    private static WarmStart? warm;

    private readonly WarmStart start = Interlocked.Exchange(ref warm, null) ?? new(isWarm: false);
    private readonly CellSources sources;
    private readonly LoadedFiles unguarded;
    private readonly Func<CancellationToken, string>? readLine;
    private readonly ExceptionReport report;
    private readonly PackageLoader packages;
    private ScriptOptions options;
    private ScriptState<object>? state;
    private int executionCount;
    private int isRunning;

    /// <summary>Starts an empty session.</summary>
    public CSharpSession(SessionOptions? session = null)
    {
        session ??= new();
        sources = new(session.Folder);
        unguarded = new(sources, session.Folder, isGuarded: false);
        report = new(sources);
        readLine = session.ReadLine;
        options = start.Options
            .WithMetadataResolver(start.References.In(session.Folder))
            .WithSourceResolver(new LoadedFiles(sources, session.Folder, isGuarded: true));
        foreach (var assembly in session.References)
            Refer(assembly);
        var provided = own.Concat(session.References).Concat(session.Packages.SelectMany(package => package.Assemblies));
        packages = new(session, Refer, CellReferences.Framework.Select(Path.GetFileNameWithoutExtension)
            .Concat(provided.Select(assembly => assembly.GetName().Name)).ToHashSet(StringComparer.OrdinalIgnoreCase)!);
        Completion = new(() => (state?.Script, options));
        CellConsole.Install();
    }

    /// <summary>The <c>#!</c> commands that cells may use.</summary>
    public MagicCommands Magics { get; } = new();

    /// <summary>How many counted runs have started.</summary>
    public int ExecutionCount => executionCount;

    /// <summary>Ends once the compiler is warm, where that was asked for.</summary>
    internal Task Ready => start.State;

    /// <summary>Completes and explains code as if it were the next cell.</summary>
    internal CodeCompletion Completion { get; }

    /// <summary>Gets the compiler and the formatters ready in the background, for the session that is started next.</summary>
    public static void WarmUp() => warm ??= new(isWarm: true);

    /// <summary>
    /// Runs one cell and publishes its outputs in order, each before the next is made. <paramref name="stop"/> ends the
    /// cell, be it computing or waiting, and leaves the session usable with what earlier cells declared.
    /// </summary>
    /// <param name="code">The cell's text, directives included.</param>
    /// <param name="publish">Receives the outputs, from the cell's threads, one at a time.</param>
    /// <param name="language">What the cell is written in unless it says so itself: csharp, markdown or html.</param>
    /// <param name="stop">Stops the cell.</param>
    /// <param name="isCounted">Whether the run gets a number of its own; one that does not is called cell 0.</param>
    /// <exception cref="InvalidOperationException">Another cell of this session is still running.</exception>
    public async Task<CellResult> ExecuteAsync(string code, Action<CellOutput> publish, string language = "csharp",
        CancellationToken stop = default, bool isCounted = true)
    {
        if (Interlocked.Exchange(ref isRunning, 1) == 1)
            throw new InvalidOperationException("ExecuteAsync: a cell of this session is still running; await it first");
        CellConsole.Install();
        var clock = Stopwatch.StartNew();
        var source = sources.AddCell(isCounted ? ++executionCount : 0, code);
        var context = new CellContext(publish, stray => Report(stray, source), Magics, readLine, stop);
        try
        {
            CellOutput.Error? error = null;
            var execution = new CellExecution(context.Tell);
            await using var telling = stop.UnsafeRegister(_ => context.Stop(), null);
            var end = await execution.RunAsync(async () =>
            {
                CellContext.Current = context;
                error = await RunAsync(code, language, source, context, clock, stop);
            }, stop).ConfigureAwait(false);
            if (end != CellEnd.Ran)
                await context.EndingsAsync().ConfigureAwait(false);
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
    public void Dispose() => start.Loader.Dispose();

    private async Task<CellOutput.Error?> RunAsync(string code, string language, CellSource source, CellContext context, Stopwatch clock, CancellationToken stop)
    {
        try
        {
            var script = CellScript.Parse(code, language);
            foreach (var extension in await packages.LoadAsync(script, context, stop))
                await ExtendAsync(extension, source, context, stop);
            foreach (var magic in script.Steps.OfType<MagicStep>().Where(magic => magic.Name != ImportMagic))
                Magics.Find(magic);
            foreach (var step in script.Steps)
            {
                var error = step switch
                {
                    CodeStep { Language: "csharp" } part => await RunAsync(part.Text, source, context, stop),
                    CodeStep part => Show(part, context),
                    MagicStep { Name: ImportMagic } import => await ImportAsync(import, source, context, stop),
                    MagicStep magic => await RunAsync(magic, source),
                    _ => throw new UnreachableException(),
                };
                if (error is not null)
                    return error;
            }
            if (script.IsTimed)
                context.Display(string.Create(CultureInfo.InvariantCulture, $"Wall time: {clock.Elapsed.TotalMilliseconds:0.#} ms"));
            return null;
        }
        catch (DirectiveException error)
        {
            return ExceptionReport.Of(error, source);
        }
    }

    private async Task<CellOutput.Error?> RunAsync(MagicStep magic, CellSource source)
    {
        try
        {
            await Magics.Find(magic)(magic.Arguments);
            return null;
        }
        catch (Exception error) when (error is not DirectiveException)
        {
            return Report(error, source) with { Line = magic.Line };
        }
    }

    private async Task<CellOutput.Error?> ImportAsync(MagicStep import, CellSource source, CellContext context, CancellationToken stop)
    {
        var path = Path.GetFullPath(import.Arguments.Trim('"'), source.Folder);
        for (var around = source; around is not null; around = around.ImportedBy)
            if (around.File == path)
                throw new DirectiveException($"#!import {import.Arguments}: the file imports itself", import.Line);
        var error = await RunFileAsync(path, import, source, context, stop);
        return error is null ? null : error with { Line = import.Line };
    }

    /// <summary>What goes wrong in an extension is shown, and the cell goes on: the package may serve without.</summary>
    private async Task ExtendAsync(string path, CellSource source, CellContext context, CancellationToken stop)
    {
        if (await RunFileAsync(path, new(ImportMagic, path, Line: 1), source, context, stop) is { } error)
            context.Publish(new CellOutput.Stream("stderr", $"A package's extension failed: {string.Join('\n', error.Traceback)}\n"));
    }

    /// <summary>Runs a file's code in this session; the error says in which file it was.</summary>
    private async Task<CellOutput.Error?> RunFileAsync(string path, MagicStep import, CellSource source, CellContext context, CancellationToken stop)
    {
        foreach (var cell in ImportedFile.Read(path, import))
        {
            var part = sources.AddFile(path, cell.Code, cell.Number, source);
            if (await RunAsync(cell.Code, cell.Language, part, context, Stopwatch.StartNew(), stop) is { } error)
                return error.Line is null ? error : error with { Message = $"{part.Name}, line {error.Line}: {error.Message}" };
        }
        return null;
    }

    private async Task<CellOutput.Error?> RunAsync(string code, CellSource source, CellContext context, CancellationToken stop)
    {
        state ??= await start.State;
        if (Compile(code, source, stop, out var script) is { } mistake)
            return mistake;

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
        stop.ThrowIfCancellationRequested();
        if (thrown is not null)
            return Report(thrown, source);
        if (EndsInValue(script.GetCompilation()))
        {
            var value = MimeBundle.Of(state.ReturnValue);
            context.Publish(source.ImportedBy is null ? new CellOutput.Result(value) : new CellOutput.Display(value, Id: null));
        }
        return null;
    }

    /// <summary>The cell's code with all that running it needs; the error where it has mistakes.</summary>
    private CellOutput.Error? Compile(string code, CellSource source, CancellationToken stop, out Script<object> script)
    {
        using var shield = CellExecution.Protect();
        script = Create(CellGuard.Insert(code), source, options);
        if (!HasErrors(script.Compile(stop)))
            return null;
        // Without the guards, columns are those of the author.
        script = Create(code, source, options.WithSourceResolver(unguarded));
        var diagnostics = script.Compile(stop);
        return HasErrors(diagnostics) ? report.Of(diagnostics, source) : null;
    }

    private CellOutput.Error Report(Exception error, CellSource source)
    {
        using var shield = CellExecution.Protect();
        return report.Of(error, source);
    }

    private Script<object> Create(string code, CellSource source, ScriptOptions options) => state is null
        ? CSharpScript.Create<object>(code, options.WithFilePath(source.Path), assemblyLoader: start.Loader)
        : state.Script.ContinueWith<object>(code, options.WithFilePath(source.Path));

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

    private static CellOutput.Error? Show(CodeStep part, CellContext context)
    {
        var text = part.Text.Trim('\n');
        if (text.Length > 0)
            context.Publish(new CellOutput.Display(new MimeBundle($"text/{part.Language}", text), Id: null));
        return null;
    }

    private void Refer(Assembly assembly)
    {
        start.Loader.RegisterDependency(assembly);
        var reference = start.References.To(assembly.Location);
        if (!options.MetadataReferences.Contains(reference))
            options = options.AddReferences(reference);
    }

    /// <summary>What one session starts from.</summary>
    private sealed class WarmStart
    {
        /// <summary>Declares nothing, and leads the compiler through what most cells need.</summary>
        private const string FirstScript = """
            { var x = 1; int Twice(int n) => 2 * n; foreach (var i in Enumerable.Range(0, 2).Select(Twice)) x += i; Console.Write(string.Join($"{x}", "")); await Task.CompletedTask; }
            new { A = 1 }
            """;

        public WarmStart(bool isWarm)
        {
            foreach (var assembly in own)
                Loader.RegisterDependency(assembly);
            Options = ScriptOptions.Default
                .WithMetadataResolver(References)
                .WithReferences(CellReferences.Framework.Concat(own.Select(assembly => assembly.Location)).Select(References.To))
                .WithImports([.. imports, typeof(CellDisplay).FullName!])
                .WithOptimizationLevel(OptimizationLevel.Release)
                .WithEmitDebugInformation(true)
                .WithFileEncoding(Encoding.UTF8)
                .WithLanguageVersion(LanguageVersion.Latest)
                .WithAllowUnsafe(true);
            if (!isWarm)
                return;
            State = Task.Run(RunFirstAsync);
            _ = Task.Run(() => MimeBundle.Of(new { A = 1 }));
        }

        public InteractiveAssemblyLoader Loader { get; } = new();

        public CellReferences References { get; } = new();

        public ScriptOptions Options { get; }

        /// <summary>After the first script; null where there was none.</summary>
        public Task<ScriptState<object>?> State { get; } = Task.FromResult<ScriptState<object>?>(null);

        private async Task<ScriptState<object>?> RunFirstAsync()
        {
            var script = CSharpScript.Create<object>(CellGuard.Insert(FirstScript), Options, assemblyLoader: Loader);
            var state = await script.RunAsync().ConfigureAwait(false);
            EndsInValue(script.GetCompilation());
            return state;
        }
    }
}
