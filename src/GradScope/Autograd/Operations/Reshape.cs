using System.Numerics.Tensors;

namespace GradScope.Operations;

/// <summary>y = x's elements in the same order under another shape; ∂x += ∂y.</summary>
internal sealed class Reshape : Node
{
    private readonly Node x;

    public Reshape(Node x, Shape shape)
        : base(x.Tape, shape, x)
    {
        this.x = x;
        if (shape.ElementCount != x.Shape.ElementCount)
        {
            throw new ArgumentException($"Reshape: {x.Label} is {x.Shape} and has {x.Shape.ElementCount} elements, but {shape} has {shape.ElementCount}.");
        }
    }

    public override string Formula => $"{x.Label} as {Shape}";

    public override IReadOnlyList<string> BackwardRule => [$"G as {x.Shape}"];

    private protected override string OperationName => "Reshape";

    internal override void Forward() => x.V.CopyTo(V);

    internal override void Backward() => TensorPrimitives.Add(x.G, G, x.G);
}
