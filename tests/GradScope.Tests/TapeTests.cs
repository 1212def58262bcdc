namespace GradScope.Tests;

public class TapeTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(39)]
    public void A_row_of_logits_with_a_NaN_predicts_nothing_wherever_it_stands(int place)
    {
        var tape = new Tape();
        var values = Enumerable.Range(0, 40).Select(i => i == 20 ? 9f : 0f).ToArray();
        values[place] = float.NaN;
        var loss = (Operations.CrossEntropy)tape.Variable(new Tensor([1, 40], values)).CrossEntropy(tape.Constant(new float[] { 20 }));
        Assert.Equal(0, loss.Correct);
        Assert.True(float.IsNaN((float)loss.Value));
    }

    [Fact]
    public void A_value_used_twice_receives_the_sum_of_both_gradients()
    {
        var tape = new Tape();
        var u = tape.Variable(new float[] { 1, 2 });
        tape.Backward((u * u + 3 * u).Sum());

        Assert.Equal([5f, 7f], u.Grad.Values.ToArray());
    }

    [Fact]
    public void A_watch_tells_what_each_step_of_backward_adds()
    {
        var tape = new Tape();
        var u = tape.Variable(new float[] { 1, 2 }, "u");
        var square = u * u;
        var triple = 3 * u;
        var watch = new BackwardWatch();
        tape.Backward((square + triple).Sum(), watch);
        var frame = Recorder.Capture(tape, watch: watch);

        var parts = frame.Contributions.Where(c => c.Input == u.Index).ToList();
        Assert.Equal([triple.Index, square.Index], parts.Select(c => c.Node));
        Assert.Equal([3f, 3f], parts[0].Added!.Values.ToArray());
        Assert.Equal([3f, 3f], parts[0].Sum!.Values.ToArray());
        Assert.Equal([2f, 4f], parts[1].Added!.Values.ToArray());
        Assert.Equal([5f, 7f], parts[1].Sum!.Values.ToArray());
        Assert.Equal((Math.Sqrt(20), Math.Sqrt(74)), (parts[1].Norm, parts[1].SumNorm), (a, b) => Math.Abs(a.Item1 - b.Item1) + Math.Abs(a.Item2 - b.Item2) < 1e-6);

        // One use: what is added is the whole gradient, and is not copied again.
        var one = Assert.Single(frame.Contributions, c => c.Input == square.Index);
        Assert.Same(frame.Nodes[square.Index].Grad, one.Added);
        Assert.Empty(Recorder.Capture(tape).Contributions);
    }

    [Fact]
    public void A_hand_written_attention_head_equals_the_models_own_operations()
    {
        var tape = new Tape();
        var q = tape.Variable(Tensor.Normal([4, 6], 1), "q");
        var k = tape.Variable(Tensor.Normal([4, 6], 2), "k");
        var v = tape.Variable(Tensor.Normal([4, 6], 3), "v");
        var z = (q.MatMul(k.Transpose()) / MathF.Sqrt(6)).CausalSoftmax().MatMul(v);
        tape.Backward((z * z).Sum());
        var (gradQ, gradK, gradV) = (q.Grad, k.Grad, v.Grad);

        var other = new Tape();
        var q2 = other.Variable(Tensor.Normal([4, 6], 1).Reshape([1, 4, 6]));
        var k2 = other.Variable(Tensor.Normal([4, 6], 2).Reshape([1, 4, 6]));
        var v2 = other.Variable(Tensor.Normal([4, 6], 3).Reshape([1, 4, 6]));
        var z2 = q2.HeadScores(k2, headCount: 1).CausalSoftmax().HeadMix(v2);
        other.Backward((z2 * z2).Sum());

        Close.Assert(z.Value.Values, z2.Value.Values);
        Close.Assert(gradQ.Values, q2.Grad.Values);
        Close.Assert(gradK.Values, k2.Grad.Values);
        Close.Assert(gradV.Values, v2.Grad.Values);
    }

    [Fact]
    public void A_replay_computes_what_a_new_recording_computes_and_allocates_nothing()
    {
        var tape = new Tape();
        var x = tape.Variable(Tensor.Normal([5, 7], 1));
        var w = tape.Variable(Tensor.Normal([7, 3], 2));
        var loss = x.MatMul(w).Gelu().Softmax().Log().Mean();
        tape.Backward(loss);
        var values = Tensor.Normal([5, 7], 3);
        x.Set(values.Values);
        tape.Replay();
        tape.Backward(loss);
        var allocated = GC.GetAllocatedBytesForCurrentThread();
        x.Set(values.Values);
        tape.Replay();
        tape.Backward(loss);
        allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;

        var fresh = new Tape();
        var y = fresh.Variable(values);
        var expected = y.MatMul(fresh.Variable(Tensor.Normal([7, 3], 2))).Gelu().Softmax().Log().Mean();
        fresh.Backward(expected);
        Assert.Equal((float)expected.Value, (float)loss.Value);
        Assert.Equal(y.Grad.Values.ToArray(), x.Grad.Values.ToArray());
        Assert.Equal(0, allocated);
    }

    [Fact]
    public void A_visitor_sees_forward_in_order_and_backward_from_the_end()
    {
        var tape = new Tape();
        var x = tape.Variable(2f, "x");
        var unused = (x * 5).As("unused");
        var y = (x * x).As("y");
        var visitor = new Listener();
        tape.Replay(visitor);
        tape.Backward(y, visitor);

        Assert.Equal(["x", "5", "unused", "y"], visitor.Forward);
        Assert.Equal(["y", "x"], visitor.Backward);
        Assert.Equal(0f, (float)unused.Grad);
    }

    [Fact]
    public void Backward_twice_says_how_to_go_on()
    {
        var tape = new Tape();
        var x = tape.Variable(2f);
        var y = (x * x).As("y");
        tape.Backward(y);
        var error = Assert.Throws<InvalidOperationException>(() => tape.Backward(y));
        Assert.Contains("already run", error.Message);
        Assert.Contains("tape.Replay()", error.Message);

        tape.ZeroGrad();
        tape.Backward(y);
        Assert.Equal(4f, (float)x.Grad);
    }

    [Fact]
    public void A_gradient_before_backward_is_an_error_that_says_so()
    {
        var tape = new Tape();
        var x = tape.Variable(2f, "x");
        Assert.Contains("backward has not run", Assert.Throws<InvalidOperationException>(() => x.Grad).Message);
        Assert.Contains("takes no gradient", Assert.Throws<InvalidOperationException>(() => tape.Constant(1f).Grad).Message);

        tape.Backward(x * x);
        x.Set(3f);
        Assert.Contains("present values", Assert.Throws<InvalidOperationException>(() => x.Grad).Message);
    }

    [Fact]
    public void Backward_before_the_forward_pass_of_new_values_is_refused()
    {
        var tape = new Tape();
        var x = tape.Variable(2f);
        var y = x * x;
        x.Set(3f);
        Assert.Contains("tape.Replay()", Assert.Throws<InvalidOperationException>(() => tape.Backward(y)).Message);
        Assert.Contains("tape.Replay()", Assert.Throws<InvalidOperationException>(() => y * 2).Message);
    }

    [Fact]
    public void Backward_from_what_is_no_loss_is_refused()
    {
        var tape = new Tape();
        var x = tape.Variable(new float[] { 1, 2 }, "x");
        Assert.Contains("x is (2)", Assert.Throws<ArgumentException>(() => tape.Backward(x)).Message);
        Assert.Contains("constants alone", Assert.Throws<InvalidOperationException>(() => tape.Backward(tape.Constant(1f) * 2)).Message);
        Assert.Contains("another tape", Assert.Throws<ArgumentException>(() => new Tape().Backward(x.Sum())).Message);
        var plain = new Tape(gradients: false);
        Assert.Contains("without gradients", Assert.Throws<InvalidOperationException>(() => plain.Backward(plain.Variable(1f))).Message);
    }

    [Theory]
    [InlineData(0f, "∞")]
    [InlineData(-1f, "NaN")]
    public void A_loss_that_is_not_finite_names_the_first_node_where_that_appears(float x, string value)
    {
        var tape = new Tape();
        var loss = (tape.Variable(x, "x").Log().As("logarithm") * 2).Sum();
        var error = Assert.Throws<ArithmeticException>(() => tape.Backward(loss));
        Assert.Contains("logarithm (Log", error.Message);
        Assert.Contains(value == "NaN" ? "NaN" : "Infinity", error.Message);
    }

    [Fact]
    public void Shapes_that_do_not_fit_are_named_with_the_operation_and_the_remedy()
    {
        var tape = new Tape();
        var a = tape.Variable(Tensor.Zeros([4, 6]), "a");
        var b = tape.Variable(Tensor.Zeros([3, 2]), "b");
        AssertError("MatMul: a is (4, 6) but b is (3, 2); a's last dimension must equal b's first", () => a.MatMul(b));
        AssertError("Add: a is (4, 6) but b is (3, 2)", () => a + b);
        AssertError("Linear: a is (4, 6) but b is (3, 2)", () => a.Linear(b));
        AssertError("CausalSoftmax: a is (4, 6)", () => a.CausalSoftmax());
        AssertError("LayerNorm: a is (4, 6) but b is (3, 2)", () => a.LayerNorm(b));
        AssertError("Reshape: a is (4, 6) and has 24 elements", () => a.Reshape([5, 5]));
        AssertError("Sum: a is (4, 6) and has no axis 2", () => a.Sum(axis: 2));
        AssertError("Rows: id 7 at place 1", () => a.Rows(0, 7));
        AssertError("CrossEntropy: a is (4, 6)", () => a.CrossEntropy(tape.Constant(new float[] { 1, 2 }, "t")));
        AssertError("CrossEntropy: target 6 at place 3", () => a.CrossEntropy(tape.Constant(new float[] { 1, 2, 0, 6 }, "t")));
        AssertError("CrossEntropy: t asks for nothing", () => a.CrossEntropy(tape.Constant(new float[] { -1, -1, -1, -1 }, "t")));
        AssertError("HeadScores: a is (4, 6)", () => a.HeadScores(a, 2));
        AssertError("Dropout: the probability 1", () => a.Dropout(1, 1));
        AssertError("on two tapes", () => a + new Tape().Variable(1f));
        AssertError("Shape: 5 dimensions", () => Tensor.Zeros([1, 2, 3, 4, 5]));
        AssertError("Shape: (2, 0)", () => Tensor.Zeros([2, 0]));
        AssertError("Tensor: 3 values were given for shape (2, 2)", () => new Tensor([2, 2], 1, 2, 3));
        Assert.Contains("Set: 2 values were given to b, which is (3, 2)", Assert.Throws<ArgumentException>(() => b.Set(1f, 2f)).Message);

        static void AssertError(string part, Func<object> action) =>
            Assert.Contains(part, Assert.Throws<ArgumentException>(action).Message);
    }

    [Fact]
    public void A_gradient_check_finds_a_wrong_gradient()
    {
        var tape = new Tape();
        var x = tape.Variable(new float[] { 1, 2, 3 }, "x");
        var loss = x.Pow(2).Sum();
        tape.Backward(loss);
        Assert.True(tape.CheckGradients().Passed);

        var row = tape.CheckGradients().Rows.Single(r => r.Operation == "Variable");
        Assert.True(row.Passed && row.RelativeError < 1e-4);
        Assert.False((row with { Received = row.Received * 1.01 }).Passed);
    }

    [Fact]
    public void A_gradient_check_leaves_values_and_gradients_as_they_were()
    {
        var tape = new Tape();
        var x = tape.Variable(Tensor.Normal([3, 4], 1));
        var loss = x.Dropout(0.5f, 1).Tanh().Mean();
        tape.Backward(loss);
        var (value, gradient) = (loss.Value, x.Grad);
        Assert.True(tape.CheckGradients().Passed);
        Assert.Equal((float)value, (float)loss.Value);
        Assert.Equal(gradient.Values.ToArray(), x.Grad.Values.ToArray());
    }

    private sealed class Listener : ITapeVisitor
    {
        public List<string> Forward { get; } = [];

        public List<string> Backward { get; } = [];

        public void AfterForward(Node node) => Forward.Add(node.Label);

        public void AfterBackward(Node node) => Backward.Add(node.Label);
    }
}

internal static class Close
{
    /// <summary>Equal to within float32 rounding of sums taken in another order.</summary>
    public static void Assert(ReadOnlySpan<float> expected, ReadOnlySpan<float> received)
    {
        Xunit.Assert.Equal(expected.Length, received.Length);
        for (var i = 0; i < expected.Length; i++)
        {
            Xunit.Assert.True(
                Math.Abs(expected[i] - received[i]) <= 1e-5f * Math.Abs(expected[i]) + 1e-6f,
                $"element {i}: expected {expected[i]}, received {received[i]}");
        }
    }
}
