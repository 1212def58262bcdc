using System.Globalization;

namespace GradScope.Figures;

/// <summary>Lays a model out from top to bottom: the residual stream on the left, what reads it and adds to it on the right.</summary>
internal sealed class ModelDrawing
{
    private const double Width = 440, Stream = Sheet.Margin + 14, BoxLeft = Stream + 34, Row = 17, Padding = 10, Gap = 12;
    private const double HeadGap = 4, HeadRow = 24, BelowBoxes = 6, TextLeft = BoxLeft + Padding;
    private const double CountRight = Width - Sheet.Margin - Padding - 44, BarLeft = CountRight + 6, WhatLeft = TextLeft + 64;
    private const int MostUnfolded = 3;

    private readonly ModelFrame model;
    private readonly TransformerConfig config;
    private readonly string title;
    private readonly int largest;
    private readonly Box embedding, unembedding;
    private readonly List<Block> blocks;
    private readonly double shapeRight;

    public ModelDrawing(ModelFrame model, string title, FigureOptions options)
    {
        (this.model, config, this.title) = (model, model.Config, title);
        Sheet = new(options.Theme);
        largest = Math.Max(1, model.Parameters.Select(p => model.CountBelow(p.Module)).DefaultIfEmpty(1).Max());
        (embedding, blocks, unembedding) = (Embedding(), [.. Enumerable.Range(0, config.LayerCount).Select(BlockOf)], Unembedding());
        var parts = blocks.SelectMany(b => b.Boxes).Append(embedding).Append(unembedding).SelectMany(b => b.Parts);
        shapeRight = CountRight - parts.Max(p => p.Count is { } count ? Sheet.WidthOf(Numbers.Count(count), Face.Number) : 0) - 7;
    }

    private Sheet Sheet { get; }

    private string NormWord => config.Norm switch { Norm.LayerNorm => "LayerNorm", Norm.RmsNorm => "RMSNorm", _ => "" };

    private string Sequence => "(T, " + config.ModelDim.ToString(CultureInfo.InvariantCulture) + ")";

    public Drawing Draw()
    {
        Sheet.Header(Width, title, ModelFigure.Sizes(config), ModelFigure.Choices(config), $"{Numbers.Count(model.ParameterCount)} parameters{ModelFigure.FrozenWords(model)}");
        var y = Label(Sheet.Top + 4, $"T tokens, at most {Numbers.Count(config.ContextLength)}", "");
        y = Boxes(y - 4, embedding);
        foreach (var block in blocks)
        {
            var isFolded = blocks.Count > MostUnfolded && block != blocks[0];
            Sheet.Cuts.Add(new(y, Sheet.Body.Length, $"{block.Name}, {Numbers.Count(block.Count)} parameters") { Classes = isFolded ? " gs-block gs-folded" : " gs-block" });
            y = Head(block, y, isFolded);
            var (from, at) = (y, Sheet.Body.Length);
            var bottom = Boxes(y, block.Boxes);
            Sheet.Cuts.Add(new(from, at, $"Parts of {block.Name}") { Height = bottom - from, IsApart = isFolded });
            if (!isFolded) y = bottom;
        }

        Sheet.Cuts.Add(new(y, Sheet.Body.Length, "unembedding"));
        y = Boxes(y, unembedding);
        StreamTo(y, y + BelowBoxes);
        Arrows.Head(Sheet, Stream, y + BelowBoxes + 1, 0, 1, Tone.Value, 5, 2);
        y = Label(y + BelowBoxes + 8, "logits", string.Create(CultureInfo.InvariantCulture, $"(T, {config.VocabSize})"));
        List<string> notes = ["Purple: what is learnt, with its shape and count; bars compare counts. Blue: the residual stream, read by each branch (dot) and added to (⊕)."];
        if (blocks.Count > MostUnfolded) notes.Add($"Of {blocks.Count} blocks the first is drawn with its parts; each of the others has the same.");
        return new(Sheet, Width, Sheet.Notes(Sheet.Margin, y + 4, Width - 2 * Sheet.Margin, [.. notes]) + Sheet.Margin - 4) { Kind = "fold" };
    }

    private double Label(double y, string text, string shape)
    {
        Sheet.Text(Sheet.Margin, y + 12, text, Face.Text);
        if (shape.Length > 0) Sheet.Text(CountRight, y + 12, shape, Face.Number.In(Tone.Value), Anchor.End);
        return y + 24;
    }

    private Box Embedding()
    {
        List<Part> parts = [Weights("embed", "embed", "by token")];
        if (config.Positions == Positions.Learned) parts.Add(Weights("pos_embed", "pos_embed", "+ by position"));
        else if (config.Positions == Positions.Sinusoidal) parts.Add(new("pos_embed", "+ sin and cos", Sequence, null, null));
        return new("embedding", parts, BoxKind.Replaces);
    }

    private Box Unembedding()
    {
        List<Part> parts = [];
        if (config.NormPlacement == NormPlacement.Pre && config.Norm != Norm.None) parts.Add(Weights("ln_final", "ln_final", NormWord));
        parts.Add(config.TiedEmbeddings ? new("embedᵀ", "tied", $"({config.ModelDim}, {config.VocabSize})", 0, null) : Weights("unembed", "unembed", "x · W"));
        return new("unembedding", parts, BoxKind.Replaces, Above: Gap - BelowBoxes);
    }

    private Block BlockOf(int number)
    {
        var path = string.Create(CultureInfo.InvariantCulture, $"blocks.{number}");
        List<Box> boxes = [new("attention", [.. Branch(path, "ln1", Attention(path + ".attn"))], BoxKind.Adds, path + ".attn", 0)];
        if (config.HasMlp) boxes.Add(new("mlp", [.. Branch(path, "ln2", Mlp(path + ".mlp"))], BoxKind.Adds, path + ".mlp"));
        var frozen = Frozen(path + ".");
        var what = frozen.Length > 0 ? frozen : $"{config.HeadCount} head{(config.HeadCount == 1 ? "" : "s")}{(config.HasMlp ? $" + mlp {config.HiddenDim}" : "")}";
        return new(number, what, frozen.Length > 0, model.CountBelow(path), boxes);
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
        return new(name, what + (hasBias ? " + b" : ""), parameters.Count > 0 ? parameters[0].Shape.ToString() : "", model.CountBelow(module), tooltip, Frozen(module + "."));
    }

    /// <summary>"frozen" where nothing below a path learns.</summary>
    private string Frozen(string path)
    {
        var parameters = model.Parameters.Where(p => p.Name.StartsWith(path, StringComparison.Ordinal)).ToList();
        return parameters.All(p => !p.IsFrozen) ? "" : parameters.All(p => p.IsFrozen) ? "frozen" : "partly frozen";
    }

    /// <summary>A block's line, which stands for all of it where it is folded; answers the y below it.</summary>
    private double Head(Block block, double y, bool isFolded)
    {
        var (top, bottom) = (y + HeadGap, y + HeadGap + HeadRow + HeadGap);
        StreamTo(y, bottom);
        var (count, left) = (Numbers.Count(block.Count), TextLeft + Sheet.WidthOf(blocks[^1].Name, Face.Heading) + 8);
        using (Sheet.Group(classes: "gs-shut", isDrawn: isFolded))
        {
            Joins(top + 5, top + HeadRow - 6, 6);
            Sheet.Rect(BoxLeft, top, Width - Sheet.Margin - BoxLeft, HeadRow, Tone.Rule.Stroke(), radius: 6);
            Sheet.Text(left, top + 16, block.What, Face.Note with { Bold = block.IsFrozen }, fit: CountRight - Sheet.WidthOf(count, Face.Number) - 10 - left);
        }

        Sheet.Text(TextLeft, top + 16, block.Name, Face.Heading, title: $"blocks.{block.Number}");
        Sheet.Text(CountRight, top + 16, count, Face.Number.In(Tone.Parameter) with { Bold = true }, Anchor.End);
        Sheet.Body.Line();
        return bottom;
    }

    /// <summary>What lies one below the other on the stream; answers the y below it.</summary>
    private double Boxes(double y, params IReadOnlyList<Box> boxes)
    {
        // The stream's line comes first, so that ⊕ and boxes lie on it.
        StreamTo(y, y + boxes.Sum(b => b.Height) + BelowBoxes);
        foreach (var box in boxes)
        {
            Draw(box, y);
            y += box.Height;
        }

        return y + BelowBoxes;
    }

    /// <summary>The stream, a little into what comes below, where a seam would show in a page.</summary>
    private void StreamTo(double from, double to) => Sheet.Line(Stream, from, Stream, to + 1, Tone.Value, 2);

    /// <summary>Where a branch reads the stream, and where it adds to it.</summary>
    private void Joins(double fork, double add, double radius)
    {
        Sheet.Circle(Stream, fork, 3.5, Tone.Value.Fill());
        Sheet.Line(Stream, fork, BoxLeft - 4, fork, Tone.Value, 1.6);
        Arrows.Head(Sheet, BoxLeft - 2, fork, 1, 0, Tone.Value);
        Sheet.Line(BoxLeft, add, Stream + radius + 2, add, Tone.Value, 1.6);
        Arrows.Head(Sheet, Stream + radius + 2, add, -1, 0, Tone.Value);
        Sheet.Circle(Stream, add, radius, Tone.Paper.Fill());
        Sheet.Circle(Stream, add, radius, Tone.Value.Stroke());
        Sheet.Text(Stream, add + 4, "+", Face.Number.In(Tone.Value), Anchor.Middle);
    }

    private void Draw(Box box, double y)
    {
        var height = box.Height - box.Above;
        y += box.Above;
        if (box.Kind == BoxKind.Adds) Joins(y + 16, y + height - 4, 8);
        else Sheet.Rect(Sheet.Margin, y, Width - 2 * Sheet.Margin, height, Tone.Paper.Fill(), radius: 6);

        var left = box.Kind == BoxKind.Adds ? BoxLeft : Sheet.Margin;
        Sheet.Rect(left, y, Width - Sheet.Margin - left, height, Tone.Rule.Stroke(), radius: 6);
        Sheet.Text(TextLeft, y + 20, box.Name, Face.Heading, title: box.Path);
        if (box.Parts.Any(p => p.Count > 0)) Sheet.Text(CountRight, y + 20, Numbers.Count(box.Parts.Sum(p => p.Count ?? 0)), Face.Number.In(Tone.Parameter) with { Bold = true }, Anchor.End);
        y += 28;
        foreach (var part in box.Parts)
        {
            var learnt = part.Count is not null;
            Sheet.Text(TextLeft, y + 12, part.Name, Face.Number.In(learnt ? Tone.Parameter : Tone.Value), title: part.Tooltip);
            Sheet.Text(WhatLeft, y + 12, part.Frozen.Length > 0 ? part.Frozen : part.What, part.Frozen.Length > 0 ? Face.Note with { Bold = true } : Face.Note, fit: shapeRight - Sheet.WidthOf(part.Shape, Face.Number) - 5 - WhatLeft);
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

    private sealed record Block(int Number, string What, bool IsFrozen, int Count, IReadOnlyList<Box> Boxes)
    {
        public string Name => string.Create(CultureInfo.InvariantCulture, $"block {Number}");
    }

    private sealed record Box(string Name, IReadOnlyList<Part> Parts, BoxKind Kind, string? Path = null, double Above = Gap)
    {
        public double Height => Above + 28 + Parts.Count * Row + 6;
    }

    /// <summary>A line of a box; without a count it is computed, not learnt.</summary>
    private sealed record Part(string Name, string What, string Shape, int? Count, string? Tooltip, string Frozen = "");
}
