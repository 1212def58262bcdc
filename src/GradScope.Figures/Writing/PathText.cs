using System.Runtime.CompilerServices;
using System.Text;

namespace GradScope.Figures;

/// <summary>A path's data or a transformation, written as it reads: <c>$"M{x} {y}h{width}"</c>, with rounded, invariant numbers.</summary>
[InterpolatedStringHandler]
internal readonly struct PathText
{
    private readonly StringBuilder text;

    public PathText(int literalLength, int formattedCount) => text = new(literalLength + formattedCount * 5);

    public void AppendLiteral(string value) => text.Append(value);

    public void AppendFormatted(double value) => text.Append(Numbers.Coordinate(value));

    public override string ToString() => text.ToString();
}
