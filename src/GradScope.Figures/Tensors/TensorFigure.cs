using System.Globalization;
using System.Text;

namespace GradScope.Figures;

/// <summary>A tensor as a heatmap with its histogram and its statistics, and its gradient in the same way below it.</summary>
public static class TensorFigure
{
    private const int MostTableCells = 400;

    /// <summary>Draws a tensor.</summary>
    /// <param name="value">The numbers.</param>
    /// <param name="grad">∂loss/∂value, of the same shape; null where there is none.</param>
    /// <param name="name">What the tensor is called; null for "tensor".</param>
    /// <param name="options">Sizes, colours, thinning.</param>
    /// <exception cref="ArgumentException">The gradient's shape is not the value's.</exception>
    public static Figure Draw(Tensor value, Tensor? grad = null, string? name = null, FigureOptions? options = null)
    {
        if (grad is not null && grad.Shape != value.Shape)
        {
            throw new ArgumentException($"TensorFigure: the value is {value.Shape} but its gradient is {grad.Shape}; they must have the same shape.");
        }

        options ??= FigureOptions.Default;
        var title = options.Title ?? name ?? "tensor";
        var drawing = new TensorDrawing(value, grad, title, options);
        var (width, height) = drawing.Draw();
        return Figure.From(drawing.Sheet, width, height, title, Summary(value, grad, title), drawing.Payload, [.. Tables(value, grad)]);
    }

    private static string Summary(Tensor value, Tensor? grad, string title)
    {
        var text = new StringBuilder($"{title} {value.Shape}: {Describe(value)}");
        if (grad is not null) text.Append($"\nits gradient: {Describe(grad)}");
        return text.ToString();
    }

    private static string Describe(Tensor tensor)
    {
        if (tensor.Length == 1) return Numbers.Short(tensor.Values[0]);

        var facts = Statistics.Of(tensor);
        return $"{Numbers.Count(tensor.Length)} numbers from {Numbers.Short(facts.Least)} to {Numbers.Short(facts.Greatest)}, mean {Numbers.Short(facts.Mean)}, standard deviation {Numbers.Short(facts.Deviation)}, ‖·‖ {Numbers.Short(facts.Norm)}"
            + (facts.NotFinite > 0 ? $", {Numbers.Count(facts.NotFinite)} NaN or ∞" : "");
    }

    private static IEnumerable<DataTable> Tables(Tensor value, Tensor? grad)
    {
        yield return new("Statistics of the finite numbers", 1, ["part", "least", "greatest", "mean", "standard deviation", "‖·‖", "NaN", "∞"],
            [Row("value", value), .. grad is null ? [] : new[] { Row("gradient", grad) }]);
        if (value.Length > MostTableCells) yield break;

        yield return TableOf("Value", value);
        if (grad is not null) yield return TableOf("Gradient", grad);

        static string[] Row(string name, Tensor tensor)
        {
            var facts = Statistics.Of(tensor);
            return [name, Numbers.Exact(facts.Least), Numbers.Exact(facts.Greatest), Numbers.Exact(facts.Mean), Numbers.Exact(facts.Deviation), Numbers.Exact(facts.Norm), Numbers.Count(facts.NaNs), Numbers.Count(facts.Infinities)];
        }

        static DataTable TableOf(string name, Tensor tensor)
        {
            var columns = tensor.Shape.Columns;
            return new(name, 1, ["row", .. Enumerable.Range(0, columns).Select(c => c.ToString(CultureInfo.InvariantCulture))],
                [.. Enumerable.Range(0, tensor.Shape.Rows).Select(r => (string[])[TensorDrawing.IndexOf(tensor.Shape, r), .. tensor.Values.Slice(r * columns, columns).ToArray().Select(Numbers.Exact)])]);
        }
    }
}
