using System.Globalization;

namespace GradScope.Figures;

/// <summary>Lays a model out from top to bottom: the residual stream on the left, what reads it and adds to it on the right.</summary>
internal sealed class ModelDrawing
{
    private const double Width = 440, Stream = Sheet.Margin + 14, BoxLeft = Stream + 34, Row = 17, Padding = 10;
    private const double CountRight = Width - Sheet.Margin - Padding - 44, BarLeft = CountRight + 6, WhatLeft = BoxLeft + Padding + 66;
    private const int MostBlocks = 3;

    private readonly ModelFrame model;
    private readonly TransformerConfig config;
    private readonly string title;
    private readonly int largest;
    private readonly List<Box> boxes;
    private readonly double shapeRight;

    public ModelDrawing(ModelFrame model, string title, FigureOptions options)
    {
        (this.model, config, this.title) = (model, model.Config, title);
        Sheet = new(options.Theme);
        largest = Math.Max(1, model.Parameters.Select(p => model.CountBelow(p.Module)).DefaultIfEmpty(1).Max());
        boxes = Boxes();
        var parts = boxes.SelectMany(b => b.Parts).ToList();
        shapeRight = CountRight - parts.Max(p => p.Count is { } count ? Sheet.WidthOf(Numbers.Count(count), Face.Number) : 0) - 10;
    }

    public Sheet Sheet { get; }

    private string NormWord => config.Norm switch { Norm.LayerNorm => "LayerNorm", Norm.RmsNorm => "RMSNorm", _ => "" };

    private string Sequence => "(T, " + config.ModelDim.ToString(CultureInfo.InvariantCulture) + ")";

    public (double Width, double Height) Draw()
    {
        Sheet.Header(Width, title, ModelFigure.Sizes(config), ModelFigure.Choices(config), $"{Numbers.Count(model.ParameterCount)} parameters{ModelFigure.FrozenWords(model)}");
        var top = Sheet.Top + 4;
        var y = Label(top, $"T tokens, at most {Numbers.Count(config.ContextLength)}", "");
        var start = y - 4;
        // The stream's line comes first, so that ⊕ and boxes lie on it: its length follows from the boxes' heights.
        var end = start + boxes.Sum(b => b.Height) + 12;
        Sheet.Line(Stream, start, Stream, end, Tone.Value, 2);
        Arrows.Head(Sheet, Stream, end + 1, 0, 1, Tone.Value, 5, 2);
        y = start;
        foreach (var box in boxes)
        {
            Draw(box, y);
            y += box.Height;
        }

        y = Label(end + 8, "logits", string.Create(CultureInfo.InvariantCulture, $"(T, {config.VocabSize})"));
        return (Width, Sheet.Notes(Sheet.Margin, y + 4, Width - 2 * Sheet.Margin, "Purple: what is learnt, with its shape and count; bars compare counts. Blue: the residual stream, read by each branch (dot) and added to (⊕).") + Sheet.Margin - 4);
    }

    private double Label(double y, string text, string shape)
    {
        Sheet.Text(Sheet.Margin, y + 12, text, Face.Text);
        if (shape.Length > 0) Sheet.Text(CountRight, y + 12, shape, Face.Number.In(Tone.Value), Anchor.End);
        return y + 24;
    }

    private List<Box> Boxes()
    {
        List<Box> boxes = [];
        List<Part> embedding = [Weights("embed", "embed", "by token")];
        if (config.Positions == Positions.Learned) embedding.Add(Weights("pos_embed", "pos_embed", "+ by position"));
        else if (config.Positions == Positions.Sinusoidal) embedding.Add(new("pos_embed", "+ sin and cos", Sequence, null, null));
        boxes.Add(new("embedding", "", embedding, BoxKind.Replaces, ""));

        var folded = config.LayerCount > MostBlocks;
        for (var b = 0; b < (folded ? 1 : config.LayerCount); b++)
        {
            var path = $"blocks.{b.ToString(CultureInfo.InvariantCulture)}";
            var name = folded ? $"block × {config.LayerCount}" : "block " + b.ToString(CultureInfo.InvariantCulture);
            boxes.Add(new("attention", name, [.. Branch(path, "ln1", Attention(path + ".attn"))], BoxKind.Adds, $"{path}.attn"));
            if (config.HasMlp) boxes.Add(new("mlp", name, [.. Branch(path, "ln2", Mlp(path + ".mlp"))], BoxKind.Adds, $"{path}.mlp"));
        }

        List<Part> last = [];
        if (config.NormPlacement == NormPlacement.Pre && config.Norm != Norm.None) last.Add(Weights("ln_final", "ln_final", NormWord));
        last.Add(config.TiedEmbeddings ? new("embedᵀ", "tied", $"({config.ModelDim}, {config.VocabSize})", 0, null) : Weights("unembed", "unembed", "x · W"));
        boxes.Add(new("unembedding", "", last, BoxKind.Replaces, ""));
        return boxes;
    }

    private IEnumerable<Part> Branch(string path, string norm, IEnumerable<Part> parts)
    {
        if (config.Norm == Norm.None) return parts;

        var part = Weights($"{path}.{norm}", norm, config.NormPlacement == NormPlacement.Pre ? NormWord : NormWord + " after ⊕");
        return config.NormPlacement == NormPlacement.Pre ? parts.Prepend(part) : parts.Append(part);
    }

    private IEnumerable<Part> Attention(string path)
    {
        yield return Weights(path + ".wq", "wq", "q = x · W");
        yield return Weights(path + ".wk", "wk", "k = x · W");
        yield return Weights(path + ".wv", "wv", "v = x · W");
        yield return new("scores", string.Create(CultureInfo.InvariantCulture, $"q · kᵀ / √{config.HeadDim}"), $"({config.HeadCount}, T, T)", null, null);
        yield return new("pattern", config.Causal ? "softmax, causal" : "softmax", $"({config.HeadCount}, T, T)", null, null);
        yield return new("z", "pattern · v", Sequence, null, null);
        yield return Weights(path + ".wo", "wo", "out = z · W");
    }

    private IEnumerable<Part> Mlp(string path)
    {
        yield return Weights(path + ".up", "up", "x · W");
        yield return new("post", config.Activation switch { Activation.Relu => "relu", Activation.GeluTanh => "gelu (tanh)", _ => "gelu" }, $"(T, {config.HiddenDim})", null, null);
        yield return Weights(path + ".down", "down", "out = x · W");
    }

    private Part Weights(string module, string name, string what)
    {
        var parameters = model.Parameters.Where(p => p.Module == module).ToList();
        var tooltip = string.Join("; ", parameters.Select(p => $"{p.Name} {p.Shape}{(p.GradNorm is { } norm ? $", ‖gradient‖ {Numbers.Short(norm)}" : "")}"));
        var hasBias = parameters.Any(p => p.Name.EndsWith(".bias", StringComparison.Ordinal));
        return new(name, what + (hasBias ? " + b" : ""), parameters.Count > 0 ? parameters[0].Shape.ToString() : "", model.CountBelow(module), tooltip, Frozen(module));
    }

    /// <summary>"frozen" where nothing of a module learns, also not in the blocks that are drawn as one with it.</summary>
    private string Frozen(string module)
    {
        const string First = "blocks.0.";
        var isFolded = config.LayerCount > MostBlocks && module.StartsWith(First, StringComparison.Ordinal);
        var parameters = model.Parameters.Where(p => isFolded
            ? p.Module.StartsWith("blocks.", StringComparison.Ordinal) && p.Module.EndsWith(module[(First.Length - 1)..], StringComparison.Ordinal)
            : p.Module == module).ToList();
        return parameters.All(p => !p.IsFrozen) ? "" : parameters.All(p => p.IsFrozen) ? "frozen" : "partly frozen";
    }

    private void Draw(Box box, double y)
    {
        var height = box.Height - 12;
        y += 12;
        if (box.Kind == BoxKind.Adds)
        {
            var (fork, add) = (y + 16, y + height - 4);
            Sheet.Circle(Stream, fork, 3.5, Tone.Value.Fill());
            Sheet.Line(Stream, fork, BoxLeft - 4, fork, Tone.Value, 1.6);
            Arrows.Head(Sheet, BoxLeft - 2, fork, 1, 0, Tone.Value);
            Sheet.Line(BoxLeft, add, Stream + 10, add, Tone.Value, 1.6);
            Arrows.Head(Sheet, Stream + 10, add, -1, 0, Tone.Value);
            Sheet.Circle(Stream, add, 8, Tone.Paper.Fill());
            Sheet.Circle(Stream, add, 8, Tone.Value.Stroke());
            Sheet.Text(Stream, add + 4, "+", Face.Number.In(Tone.Value), Anchor.Middle);
        }
        else
        {
            Sheet.Rect(Sheet.Margin, y, Width - 2 * Sheet.Margin, height, Tone.Paper.Fill(), radius: 6);
        }

        var left = box.Kind == BoxKind.Adds ? BoxLeft : Sheet.Margin;
        Sheet.Rect(left, y, Width - Sheet.Margin - left, height, Tone.Rule.Stroke(), radius: 6);
        Sheet.Text(BoxLeft + Padding, y + 20, box.Name, Face.Heading);
        if (box.Block.Length > 0) Sheet.Text(BoxLeft + Padding + Sheet.WidthOf(box.Name, Face.Heading) + 10, y + 20, box.Block, Face.Note, title: box.Path);
        if (box.Parts.Any(p => p.Count > 0)) Sheet.Text(CountRight, y + 20, Numbers.Count(box.Parts.Sum(p => p.Count ?? 0)), Face.Number.In(Tone.Parameter) with { Bold = true }, Anchor.End);
        y += 28;
        foreach (var part in box.Parts)
        {
            var learnt = part.Count is not null;
            Sheet.Text(BoxLeft + Padding, y + 12, part.Name, Face.Number.In(learnt ? Tone.Parameter : Tone.Value), title: part.Tooltip);
            Sheet.Text(WhatLeft, y + 12, part.Frozen.Length > 0 ? part.Frozen : part.What, part.Frozen.Length > 0 ? Face.Note with { Bold = true } : Face.Note, fit: shapeRight - Sheet.WidthOf(part.Shape, Face.Number) - 6 - WhatLeft);
            Sheet.Text(shapeRight, y + 12, part.Shape, Face.Number.In(learnt ? Tone.Muted : Tone.Value), Anchor.End);
            if (part.Count is > 0 and var count)
            {
                Sheet.Text(CountRight, y + 12, Numbers.Count(count), Face.Number.In(Tone.Parameter), Anchor.End);
                Sheet.Rect(BarLeft, y + 4, Math.Max(1, 44.0 * count / largest), 8, part.Frozen == "frozen" ? Tone.Parameter.Stroke() : Tone.Parameter.Fill() + " o14", radius: 1.5);
            }

            y += Row;
        }

        Sheet.Body.Line();
    }

    private enum BoxKind
    {
        /// <summary>Makes the stream, or takes it.</summary>
        Replaces,

        /// <summary>Reads the stream and adds to it.</summary>
        Adds,
    }

    private sealed record Box(string Name, string Block, IReadOnlyList<Part> Parts, BoxKind Kind, string Path)
    {
        public double Height => 12 + 28 + Parts.Count * Row + 6;
    }

    /// <summary>A line of a box; without a count it is computed, not learnt.</summary>
    private sealed record Part(string Name, string What, string Shape, int? Count, string? Tooltip, string Frozen = "");
}
