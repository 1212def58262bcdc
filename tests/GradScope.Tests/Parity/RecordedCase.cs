namespace GradScope.Tests.Parity;

/// <summary>An operation case on a tape of the engine, and the number from which backward brings it the case's upstream gradient.</summary>
internal sealed record RecordedCase(Tape Tape, Dictionary<string, Node> Inputs, Node Result, Node Loss)
{
    public static RecordedCase Of(OperationCase reference)
    {
        var tape = new Tape();
        var inputs = reference.Inputs.ToDictionary(input => input.Key, input => (Node)tape.Variable(input.Value.ToTensor(), input.Key));
        var result = Apply(reference, tape, inputs);
        return new(tape, inputs, result, Projection(result, reference));
    }

    /// <summary>Σ result · upstream over what no mask hides: a masked score is −∞, and −∞ · 0 is no number.</summary>
    private static Node Projection(Node result, OperationCase reference)
    {
        var allowed = Enumerable.Range(0, result.Shape.ElementCount).Where(i => reference.Output.Values[i] is not null).ToArray();
        var upstream = reference.Upstream.ToTensor();
        var arriving = result.Tape.Constant(new Tensor([allowed.Length, 1], [.. allowed.Select(i => upstream.Values[i])]));
        return (result.Reshape([result.Shape.ElementCount, 1]).Rows(allowed) * arriving).Sum();
    }

    private static Node Apply(OperationCase reference, Tape tape, Dictionary<string, Node> inputs)
    {
        var attributes = reference.Attributes;
        return reference.Operation switch
        {
            "Add" => Input("a") + Input("b"),
            "Subtract" => Input("a") - Input("b"),
            "Multiply" => Input("a") * Input("b"),
            "Divide" => Input("a") / Input("b"),
            "Negate" => -Input("x"),
            "Pow" => Input("x").Pow(attributes.Exponent),
            "Exp" => Input("x").Exp(),
            "Log" => Input("x").Log(),
            "Sqrt" => Input("x").Sqrt(),
            "Tanh" => Input("x").Tanh(),
            "Sigmoid" => Input("x").Sigmoid(),
            "Relu" => Input("x").Relu(),
            "Gelu" => Input("x").Gelu(),
            "GeluTanh" => Input("x").GeluTanh(),
            "MatMul" => Input("a").MatMul(Input("b")),
            "Transpose" => Input("x").Transpose(),
            "Reshape" => Input("x").Reshape(new Shape(attributes.Shape)),
            "Sum" => attributes.Axis is { } axis ? Input("x").Sum(axis, attributes.KeepDim) : Input("x").Sum(),
            "Mean" => attributes.Axis is { } axis ? Input("x").Mean(axis, attributes.KeepDim) : Input("x").Mean(),
            "Rows" => Input("table").Rows(Ids(attributes.Indices!, new Shape(attributes.IndexShape))),
            "Softmax" => Input("x").Softmax(),
            "CausalSoftmax" => Input("x").CausalSoftmax(),
            "Linear" => Input("x").Linear(Input("weight"), inputs.GetValueOrDefault("bias")),
            "LayerNorm" => Input("x").LayerNorm(Input("weight"), inputs.GetValueOrDefault("bias")),
            "RmsNorm" => Input("x").RmsNorm(Input("weight")),
            "HeadScores" => Input("q").HeadScores(Input("k"), attributes.Heads, attributes.Causal),
            "HeadMix" => Input("pattern").HeadMix(Input("v"), attributes.Causal),
            "CrossEntropy" => Input("logits").CrossEntropy(Ids(attributes.Targets!, new Shape([.. Input("logits").Shape.SkipLast(1)]))),
            var unknown => throw new InvalidOperationException($"The reference file has an operation that the test does not know: {unknown}."),
        };

        Node Input(string name) => inputs[name];

        Node Ids(int[] ids, Shape shape) => tape.Constant(new Tensor(shape, [.. ids.Select(id => (float)id)]));
    }
}
