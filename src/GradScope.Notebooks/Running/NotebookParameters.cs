using System.Globalization;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace GradScope.Notebooks;

/// <summary>A value for a parameter that a notebook does not have, or that does not fit. The message names notebook, parameter and remedy.</summary>
public sealed class NotebookParameterException(string message) : Exception(message);

/// <summary>
/// Parameters as papermill has them: the variables that the cell tagged <c>parameters</c> declares. Values set from outside
/// stand in a cell of their own after it, tagged <c>injected-parameters</c>.
/// </summary>
public static class NotebookParameters
{
    private const string Tag = "parameters", InjectedTag = "injected-parameters";

    private static readonly CSharpParseOptions script = new(LanguageVersion.Latest, kind: SourceCodeKind.Script);

    /// <summary>The types that a value can be given for, and how a text becomes their literal; null where it is none.</summary>
    private static readonly Dictionary<string, Func<string, string?>> literals = new()
    {
        ["bool"] = text => bool.TryParse(text, out var value) ? value ? "true" : "false" : null,
        ["byte"] = Number<byte>(""),
        ["short"] = Number<short>(""),
        ["int"] = Number<int>(""),
        ["uint"] = Number<uint>("u"),
        ["long"] = Number<long>("L"),
        ["ulong"] = Number<ulong>("ul"),
        ["float"] = Number<float>("f"),
        ["double"] = Number<double>("d"),
        ["decimal"] = Number<decimal>("m"),
        ["char"] = text => text.Length == 1 ? SymbolDisplay.FormatLiteral(text[0], quote: true) : null,
        ["string"] = text => SymbolDisplay.FormatLiteral(text, quote: true),
    };

    /// <summary>Sets parameters by name; a cell that was injected before is replaced.</summary>
    /// <param name="notebook">The notebook, which gets or changes one cell.</param>
    /// <param name="values">Values by name, as text, numbers with a decimal point.</param>
    /// <exception cref="NotebookParameterException">The notebook has no such parameter, or the value is none of its type.</exception>
    public static void Set(NotebookDocument notebook, IReadOnlyDictionary<string, string> values)
    {
        if (values.Count == 0)
            return;
        var index = IndexOf(notebook, Tag);
        var names = string.Join(", ", values.Keys);
        if (index < 0)
            throw new NotebookParameterException($"{notebook.Name}: {names} cannot be set, since no code cell is tagged \"{Tag}\"; "
                + $"tag the one that declares {names}{(notebook.Name.EndsWith(".dib", StringComparison.OrdinalIgnoreCase) ? " (a .dib file has no tags: save it as .ipynb)" : "")}");
        var types = Types(notebook.Cells[index].Source);
        var lines = values.Select(value => Declare(notebook, types, value.Key, value.Value));
        var code = string.Join('\n', lines.Prepend("// Parameters"));
        if (IndexOf(notebook, InjectedTag) is >= 0 and var injected)
            notebook.Cells[injected].Source = code;
        else
            notebook.InsertCode(index + 1, code, InjectedTag);
    }

    private static int IndexOf(NotebookDocument notebook, string tag)
    {
        for (var i = 0; i < notebook.Cells.Count; i++)
            if (notebook.Cells[i].Kind == CellKind.Code && notebook.Cells[i].Tags.Contains(tag))
                return i;
        return -1;
    }

    private static string Declare(NotebookDocument notebook, Dictionary<string, string> types, string name, string value)
    {
        if (!types.TryGetValue(name, out var type))
            throw new NotebookParameterException($"{notebook.Name}: there is no parameter {name}; the cell tagged \"{Tag}\" declares "
                + (types.Count == 0 ? "none" : string.Join(", ", types.Select(known => $"{known.Key} ({known.Value})"))));
        if (!literals.TryGetValue(type, out var literal))
            throw new NotebookParameterException($"{notebook.Name}: {name} is of type {type}, which cannot be set from outside; "
                + $"declare it as one of {string.Join(", ", literals.Keys)}");
        return $"{type} {name} = {literal(value) ?? throw new NotebookParameterException($"{notebook.Name}: {name} is of type {type}, and '{value}' is no {type}")};";
    }

    /// <summary>The variables of a cell with their types; for <c>var</c>, that of the literal.</summary>
    private static Dictionary<string, string> Types(string code)
    {
        var types = new Dictionary<string, string>();
        foreach (var field in CSharpSyntaxTree.ParseText(code, script).GetCompilationUnitRoot().Members.OfType<FieldDeclarationSyntax>())
            foreach (var variable in field.Declaration.Variables)
                types[variable.Identifier.ValueText] = TypeOf(field.Declaration.Type, variable.Initializer?.Value);
        return types;
    }

    private static string TypeOf(TypeSyntax declared, ExpressionSyntax? value) => declared switch
    {
        { IsVar: false } => (declared is NullableTypeSyntax nullable ? nullable.ElementType : declared).ToString(),
        _ when (value is PrefixUnaryExpressionSyntax signed ? signed.Operand : value) is LiteralExpressionSyntax literal => Keyword(literal.Token.Value),
        _ => "var",
    };

    private static string Keyword(object? value) => value switch
    {
        bool => "bool",
        int => "int",
        uint => "uint",
        long => "long",
        ulong => "ulong",
        float => "float",
        double => "double",
        decimal => "decimal",
        char => "char",
        string => "string",
        _ => "unknown",
    };

    private static Func<string, string?> Number<T>(string suffix) where T : struct, System.Numerics.INumber<T> => text =>
        T.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && T.IsFinite(value)
            ? value.ToString(null, CultureInfo.InvariantCulture) + suffix : null;
}
