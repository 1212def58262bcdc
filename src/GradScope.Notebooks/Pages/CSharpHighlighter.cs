using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace GradScope.Notebooks;

/// <summary>C# as HTML: the compiler's own tokens, with a class for each kind that readers tell apart.</summary>
internal static class CSharpHighlighter
{
    private static readonly CSharpParseOptions script = new(LanguageVersion.Latest, kind: SourceCodeKind.Script);

    public static string ToHtml(string code)
    {
        var root = CSharpSyntaxTree.ParseText(code, script).GetRoot();
        var html = new StringBuilder();
        foreach (var token in root.DescendantTokens())
        {
            Append(html, token.LeadingTrivia);
            Append(html, token.Text, Kind(token));
            Append(html, token.TrailingTrivia);
        }
        return html.ToString();
    }

    private static void Append(StringBuilder html, SyntaxTriviaList list)
    {
        foreach (var trivia in list)
            Append(html, trivia.ToFullString(), trivia switch
            {
                { IsDirective: true } => "directive",
                _ when trivia.IsKind(SyntaxKind.SkippedTokensTrivia) => "",
                _ when string.IsNullOrWhiteSpace(trivia.ToFullString()) => "",
                _ => "comment",
            });
    }

    private static void Append(StringBuilder html, string text, string kind)
    {
        if (kind.Length == 0 || text.Length == 0)
            html.Append(Html.Escape(text));
        else
            html.Append($"<span class=\"{kind}\">").Append(Html.Escape(text)).Append("</span>");
    }

    private static string Kind(SyntaxToken token) => token.Kind() switch
    {
        SyntaxKind.NumericLiteralToken => "number",
        SyntaxKind.StringLiteralToken or SyntaxKind.CharacterLiteralToken or SyntaxKind.InterpolatedStringTextToken
            or SyntaxKind.InterpolatedStringStartToken or SyntaxKind.InterpolatedStringEndToken
            or SyntaxKind.InterpolatedVerbatimStringStartToken or SyntaxKind.InterpolatedRawStringEndToken
            or SyntaxKind.InterpolatedSingleLineRawStringStartToken or SyntaxKind.InterpolatedMultiLineRawStringStartToken
            or SyntaxKind.SingleLineRawStringLiteralToken or SyntaxKind.MultiLineRawStringLiteralToken
            or SyntaxKind.Utf8StringLiteralToken => "string",
        SyntaxKind.IdentifierToken => IdentifierKind(token),
        var kind when SyntaxFacts.IsKeywordKind(kind) => "keyword",
        _ => "",
    };

    private static string IdentifierKind(SyntaxToken token) => token.Parent switch
    {
        IdentifierNameSyntax { IsVar: true } => "keyword",
        BaseTypeDeclarationSyntax or TypeParameterSyntax => "type",
        MethodDeclarationSyntax or LocalFunctionStatementSyntax => "call",
        GenericNameSyntax name => IsCalled(name) ? "call" : "type",
        IdentifierNameSyntax name when IsCalled(name) => "call",
        IdentifierNameSyntax name when IsType(name) => "type",
        _ => "",
    };

    private static bool IsCalled(SimpleNameSyntax name) => name.Parent switch
    {
        InvocationExpressionSyntax call => call.Expression == name,
        MemberAccessExpressionSyntax member => member.Name == name && member.Parent is InvocationExpressionSyntax,
        MemberBindingExpressionSyntax { Parent: InvocationExpressionSyntax } => true,
        _ => false,
    };

    private static bool IsType(IdentifierNameSyntax name) => name.Parent switch
    {
        ObjectCreationExpressionSyntax or ArrayTypeSyntax or NullableTypeSyntax or TypeArgumentListSyntax
            or BaseTypeSyntax or TypeOfExpressionSyntax or DeclarationPatternSyntax => true,
        VariableDeclarationSyntax declaration => declaration.Type == name,
        ParameterSyntax parameter => parameter.Type == name,
        MethodDeclarationSyntax method => method.ReturnType == name,
        LocalFunctionStatementSyntax function => function.ReturnType == name,
        PropertyDeclarationSyntax property => property.Type == name,
        CastExpressionSyntax cast => cast.Type == name,
        // Without binding, a capital before a dot is read as a type: Math.Sqrt, Console.WriteLine.
        MemberAccessExpressionSyntax member => member.Expression == name && char.IsUpper(name.Identifier.Text[0]),
        _ => false,
    };
}
