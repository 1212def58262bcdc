namespace GradScope;

/// <summary>c = scale · a·b (+ bias, a row added to each row) (+ c, where it accumulates), for each matrix of the stack.</summary>
internal static class MatrixProduct
{
    public static void Multiply(
        in Matrix a, in Matrix b, in Matrix c, bool accumulate,
        float scale = 1, Triangle triangle = Triangle.None, float[]? bias = null, int biasOffset = 0)
    {
        for (var o = 0; o < c.Outer; o++)
        {
            for (var n = 0; n < c.Inner; n++)
            {
                var a0 = a.Offset + o * a.OuterStride + n * a.InnerStride;
                var b0 = b.Offset + o * b.OuterStride + n * b.InnerStride;
                var c0 = c.Offset + o * c.OuterStride + n * c.InnerStride;
                for (var i = 0; i < c.Rows; i++)
                {
                    var end = triangle == Triangle.LowerResult ? Math.Min(i + 1, c.Columns) : c.Columns;
                    var from = triangle == Triangle.UpperLeft ? i : 0;
                    var to = triangle == Triangle.LowerLeft ? Math.Min(i + 1, a.Columns) : a.Columns;
                    for (var j = 0; j < end; j++)
                    {
                        var sum = 0f;
                        for (var p = from; p < to; p++)
                        {
                            sum += a.Array[a0 + i * a.RowStride + p * a.ColumnStride] * b.Array[b0 + p * b.RowStride + j * b.ColumnStride];
                        }

                        ref var result = ref c.Array[c0 + i * c.RowStride + j * c.ColumnStride];
                        result = sum * scale + (bias is null ? 0 : bias[biasOffset + j]) + (accumulate ? result : 0);
                    }
                }
            }
        }
    }
}
