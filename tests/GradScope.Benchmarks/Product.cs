namespace GradScope.Benchmarks;

/// <summary>One of the matrix products of a training step, with operands of its own.</summary>
internal sealed class Product
{
    private readonly Matrix a;
    private readonly Matrix b;
    private readonly Matrix c;
    private readonly Triangle triangle;

    private Product(string name, Matrix a, Matrix b, Matrix c, Triangle triangle = Triangle.None)
    {
        Name = name;
        this.a = a;
        this.b = b;
        this.c = c;
        this.triangle = triangle;
    }

    public string Name { get; }

    /// <summary>
    /// Multiplications and additions that cannot be left out: a triangle counts only what is inside it.
    /// </summary>
    public double Flops
    {
        get
        {
            var counted = triangle == Triangle.None ? 1 : (c.Rows + 1) / 2.0 / c.Rows;
            return 2.0 * c.Outer * c.Inner * c.Rows * c.Columns * a.Columns * counted;
        }
    }

    public void Run() => MatrixProduct.Multiply(a, b, c, accumulate: false, triangle: triangle);

    public override string ToString() => Name;

    /// <summary>
    /// The products of the configurations 'teach' and 'nanoGPT CPU', and two that fit into a few vectors.
    /// </summary>
    public static IReadOnlyList<Product> All() =>
    [
        .. Linear("seed", 8, 16, 16),
        .. Linear("seed", 8, 16, 10),
        .. Linear("teach", 512, 64, 64),
        .. Linear("teach", 512, 64, 256),
        .. Linear("teach", 512, 256, 64),
        .. Linear("teach", 512, 64, 65),
        .. Attention("teach", 16, 4, 32, 16),
        .. Linear("nanoGPT", 768, 128, 128),
        .. Linear("nanoGPT", 768, 128, 384),
        .. Linear("nanoGPT", 768, 128, 512),
        .. Linear("nanoGPT", 768, 512, 128),
        .. Linear("nanoGPT", 768, 128, 65),
        .. Attention("nanoGPT", 12, 4, 64, 32),
        .. Linear("large", 2048, 384, 1536),
    ];

    /// <summary>y = x·W and what its backward pass needs.</summary>
    private static IEnumerable<Product> Linear(string name, int rows, int from, int to)
    {
        var (x, w, y) = (Dense(rows, from), Dense(from, to), Dense(rows, to));
        yield return new($"{name} y = x·W: {rows}×{from}·{from}×{to}", x, w, y);
        yield return new($"{name} ∂x = ∂y·Wᵀ: {rows}×{to}·{to}×{from}", y, w.Transposed, x);
        yield return new($"{name} ∂W = xᵀ·∂y: {from}×{rows}·{rows}×{to}", x.Transposed, y, w);
    }

    /// <summary>Attention's products over the heads, which lie side by side in q, k, v and z.</summary>
    private static IEnumerable<Product> Attention(string name, int batch, int heads, int positions, int headDim)
    {
        var width = heads * headDim;
        var (q, k, v, z) = (Heads(), Heads(), Heads(), Heads());
        var square = positions * positions;
        var pattern = new Matrix(
            Values(batch * heads * square), 0, positions, positions, positions, 1, batch, heads * square, heads, square);
        var size = $"{batch} × {heads} of {positions}×{positions}, {headDim}";
        yield return new($"{name} scores = q·kᵀ: {size}", q, k.Transposed, pattern, Triangle.LowerResult);
        yield return new($"{name} z = pattern·v: {size}", pattern, v, z, Triangle.LowerLeft);
        yield return new($"{name} ∂v = patternᵀ·∂z: {size}", pattern.Transposed, z, v, Triangle.UpperLeft);

        Matrix Heads() => new(
            Values(batch * positions * width), 0, positions, headDim, width, 1, batch, positions * width, heads, headDim);
    }

    private static Matrix Dense(int rows, int columns) => new(Values(rows * columns), 0, rows, columns, columns, 1);

    private static float[] Values(int count)
    {
        var random = new Random(count);
        var values = new float[count];
        foreach (ref var value in values.AsSpan()) value = random.NextSingle() - 0.5f;
        return values;
    }
}
