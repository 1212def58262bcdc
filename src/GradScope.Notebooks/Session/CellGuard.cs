using System.ComponentModel;
using System.Runtime.CompilerServices;
using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace GradScope.Notebooks;

/// <summary>
/// What the host puts into a cell's own loops and functions, so that a loop without end can be stopped and a recursion
/// without end is an error instead of the end of the process.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static class CellGuard
{
    private const string Turn = "global::GradScope.Notebooks.CellGuard.OnTurn();", Call = "global::GradScope.Notebooks.CellGuard.OnCall();";

    private static readonly CSharpParseOptions script = new(LanguageVersion.Latest, kind: SourceCodeKind.Script);
    private static volatile int raised;

    /// <summary>One turn of a loop: a load and a branch that is not taken, while no cell is being stopped.</summary>
    /// <exception cref="OperationCanceledException">The cell is to stop.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void OnTurn()
    {
        if (raised != 0)
            CellContext.Current?.ThrowIfStopped();
    }

    /// <summary>The start of a function.</summary>
    /// <exception cref="InsufficientExecutionStackException">The functions called each other too deep.</exception>
    public static void OnCall()
    {
        try
        {
            RuntimeHelpers.EnsureSufficientExecutionStack();
        }
        catch (InsufficientExecutionStackException)
        {
            throw new InsufficientExecutionStackException("the call stack is full: a function calls itself and never comes to an end");
        }
    }

    internal static void Raise() => Interlocked.Increment(ref raised);

    internal static void Lower() => Interlocked.Decrement(ref raised);

    /// <summary>The code with guards in it; no line moves.</summary>
    internal static string Insert(string code)
    {
        var insertions = new List<(int Position, string Text)>();
        foreach (var node in CSharpSyntaxTree.ParseText(code, script).GetRoot().DescendantNodes())
        {
            switch (node)
            {
                case WhileStatementSyntax loop: Around(loop.Statement); break;
                case DoStatementSyntax loop: Around(loop.Statement); break;
                case ForStatementSyntax loop: Around(loop.Statement); break;
                case CommonForEachStatementSyntax loop: Around(loop.Statement); break;
                case LocalFunctionStatementSyntax { Body: { } body }: After(body, Call); break;
                case BaseMethodDeclarationSyntax { Body: { } body } and not ConstructorDeclarationSyntax: After(body, Call); break;
            }
        }
        var text = new StringBuilder(code);
        foreach (var (position, insertion) in insertions.OrderByDescending(insertion => insertion.Position))
            text.Insert(position, insertion);
        return text.ToString();

        void Around(StatementSyntax body)
        {
            if (body is BlockSyntax block)
            {
                After(block, Turn);
                return;
            }
            insertions.Add((body.SpanStart, "{" + Turn));
            insertions.Add((body.Span.End, "}"));
        }

        void After(BlockSyntax block, string guard)
        {
            if (!block.OpenBraceToken.IsMissing)
                insertions.Add((block.OpenBraceToken.Span.End, guard));
        }
    }
}
