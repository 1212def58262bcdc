using GradScope.Operations;

namespace GradScope;

// The words of the tape: each records one operation on the tape of its node.
public abstract partial class Node
{
    /// <summary>Sum, element by element, with broadcasting: shapes are aligned at the last dimension; a size of 1 or a missing dimension is repeated.</summary>
    /// <exception cref="ArgumentException">The shapes do not fit, or the nodes are on two tapes.</exception>
    public static Node operator +(Node a, Node b) => a.Tape.Record(new Binary<Add>(a, b));

    /// <summary>Difference, element by element, with broadcasting.</summary>
    /// <exception cref="ArgumentException">The shapes do not fit, or the nodes are on two tapes.</exception>
    public static Node operator -(Node a, Node b) => a.Tape.Record(new Binary<Subtract>(a, b));

    /// <summary>Product, element by element, with broadcasting; for matrices see <see cref="MatMul"/>.</summary>
    /// <exception cref="ArgumentException">The shapes do not fit, or the nodes are on two tapes.</exception>
    public static Node operator *(Node a, Node b) => a.Tape.Record(new Binary<Multiply>(a, b));

    /// <summary>Quotient, element by element, with broadcasting.</summary>
    /// <exception cref="ArgumentException">The shapes do not fit, or the nodes are on two tapes.</exception>
    public static Node operator /(Node a, Node b) => a.Tape.Record(new Binary<Divide>(a, b));

    /// <summary>Adds a number to each element.</summary>
    public static Node operator +(Node a, float b) => a + a.Number(b);

    /// <inheritdoc cref="op_Addition(Node, float)"/>
    public static Node operator +(float a, Node b) => b.Number(a) + b;

    /// <summary>Subtracts a number from each element.</summary>
    public static Node operator -(Node a, float b) => a - a.Number(b);

    /// <summary>Subtracts each element from a number.</summary>
    public static Node operator -(float a, Node b) => b.Number(a) - b;

    /// <summary>Multiplies each element by a number.</summary>
    public static Node operator *(Node a, float b) => a * a.Number(b);

    /// <inheritdoc cref="op_Multiply(Node, float)"/>
    public static Node operator *(float a, Node b) => b.Number(a) * b;

    /// <summary>Divides each element by a number.</summary>
    public static Node operator /(Node a, float b) => a / a.Number(b);

    /// <summary>Divides a number by each element.</summary>
    public static Node operator /(float a, Node b) => b.Number(a) / b;

    /// <summary>−x, element by element.</summary>
    public static Node operator -(Node x) => x.Tape.Record(new Unary<Negate>(x));

    /// <summary>xᵖ, element by element.</summary>
    public Node Pow(float exponent) => Tape.Record(new Pow(this, exponent));

    /// <summary>eˣ, element by element.</summary>
    public Node Exp() => Tape.Record(new Unary<Exp>(this));

    /// <summary>The natural logarithm, element by element.</summary>
    public Node Log() => Tape.Record(new Unary<Log>(this));

    /// <summary>The square root, element by element.</summary>
    public Node Sqrt() => Tape.Record(new Unary<Sqrt>(this));

    /// <summary>The hyperbolic tangent, element by element.</summary>
    public Node Tanh() => Tape.Record(new Unary<Tanh>(this));

    /// <summary>1/(1 + e⁻ˣ), element by element.</summary>
    public Node Sigmoid() => Tape.Record(new Unary<Sigmoid>(this));

    /// <summary>max(0, x), element by element; at 0 the derivative is taken as 0.</summary>
    public Node Relu() => Tape.Record(new Relu(this));

    /// <summary>x·Φ(x) with the normal distribution function Φ (Hendrycks and Gimpel 2016).</summary>
    public Node Gelu() => Tape.Record(new Unary<Gelu>(this));

    /// <summary>GELU with Φ by its tanh approximation, as GPT-2 has it.</summary>
    public Node GeluTanh() => Tape.Record(new Unary<GeluTanh>(this));

    /// <summary>
    /// The matrix product (…, m, k)·(…, k, n) → (…, m, n); leading dimensions are equal, or missing on one side, whose matrix is then
    /// used for all.
    /// </summary>
    /// <exception cref="ArgumentException">The shapes do not fit, or the nodes are on two tapes.</exception>
    public Node MatMul(Node other) => Tape.Record(new MatMul(this, other));

    /// <summary>x·W + b for each row of x: (…, in)·(in, out) + (out) → (…, out).</summary>
    /// <exception cref="ArgumentException">The shapes do not fit, or the nodes are on two tapes.</exception>
    public Node Linear(Node weight, Node? bias = null) => Tape.Record(new Operations.Linear(this, weight, bias));

    /// <summary>The last two dimensions exchanged: (…, m, n) → (…, n, m).</summary>
    /// <exception cref="ArgumentException">There are fewer than 2 dimensions.</exception>
    public Node Transpose() => Tape.Record(new Transpose(this));

    /// <summary>The same elements in the same order under another shape.</summary>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public Node Reshape(Shape shape) => Tape.Record(new Reshape(this, shape));

    /// <summary>The sum of all elements, a scalar, added up in double.</summary>
    public Node Sum() => Tape.Record(new Sum(this, null, false, isMean: false));

    /// <summary>The sums along one axis, which goes away, or stays with size 1.</summary>
    /// <exception cref="ArgumentException">There is no such axis.</exception>
    public Node Sum(int axis, bool keepAxis = false) => Tape.Record(new Sum(this, axis, keepAxis, isMean: false));

    /// <summary>The mean of all elements, a scalar, added up in double.</summary>
    public Node Mean() => Tape.Record(new Sum(this, null, false, isMean: true));

    /// <summary>The means along one axis, which goes away, or stays with size 1.</summary>
    /// <exception cref="ArgumentException">There is no such axis.</exception>
    public Node Mean(int axis, bool keepAxis = false) => Tape.Record(new Sum(this, axis, keepAxis, isMean: true));

    /// <summary>Positive numbers that sum to 1 along the last dimension: exp(x) / Σ exp(x).</summary>
    /// <exception cref="ArgumentException">The node is a scalar.</exception>
    public Node Softmax() => Tape.Record(new Softmax(this, causal: false));

    /// <summary>Softmax of (…, query, key) in which a query sees itself and earlier keys alone; later ones are 0.</summary>
    /// <exception cref="ArgumentException">The last two dimensions differ.</exception>
    public Node CausalSoftmax() => Tape.Record(new Softmax(this, causal: true));

    /// <summary>For each id the row of this (rows, width) table: ids (…) → (…, width).</summary>
    /// <exception cref="ArgumentException">The node is no table, or an id is not one of its rows.</exception>
    public Node Rows(Node ids) => Tape.Record(new Rows(this, ids));

    /// <inheritdoc cref="Rows(Node)"/>
    public Node Rows(params ReadOnlySpan<int> ids)
    {
        var leaf = Tape.Constant(Tensor.Zeros([ids.Length]));
        leaf.Write(ids);
        return Rows(leaf);
    }

    /// <summary>(x − mean) / √(variance + 10⁻⁵) · weight + bias along the last dimension.</summary>
    /// <exception cref="ArgumentException">Weight or bias are not of the last dimension's size.</exception>
    public Node LayerNorm(Node weight, Node? bias = null) => Tape.Record(new Normalize(this, weight, bias, centred: true));

    /// <summary>x / √(mean x² + 10⁻⁵) · weight along the last dimension.</summary>
    /// <exception cref="ArgumentException">The weight is not of the last dimension's size.</exception>
    public Node RmsNorm(Node weight) => Tape.Record(new Normalize(this, weight, null, centred: false));

    /// <summary>
    /// q·kᵀ/√HeadDim of each head: this q and k are (batch, position, model) → (batch, head, query, key); causal: −∞ where the key
    /// is after the query.
    /// </summary>
    /// <exception cref="ArgumentException">The shapes do not fit, or the heads do not divide the width.</exception>
    public Node HeadScores(Node k, int headCount, bool causal = true) => Tape.Record(new HeadScores(this, k, headCount, causal));

    /// <summary>pattern·v of each head: this pattern is (batch, head, query, key), v (batch, position, model) → (batch, position, model).</summary>
    /// <exception cref="ArgumentException">The shapes do not fit.</exception>
    public Node HeadMix(Node v, bool causal = true) => Tape.Record(new HeadMix(this, v, causal));

    /// <summary>The mean of −log softmax(logits)[target] in nats, this being the logits (…, vocabulary); a target of −1 is passed over.</summary>
    /// <exception cref="ArgumentException">The number of targets is not that of the logits' rows, one is no token, or all are −1.</exception>
    public Node CrossEntropy(Node targets) => Tape.Record(new CrossEntropy(this, targets));

    /// <summary>Each element is 0 with the given probability and otherwise divided by 1 − probability; another draw at each replay.</summary>
    /// <exception cref="ArgumentException">The probability is not in the range 0 to below 1.</exception>
    public Node Dropout(float probability, ulong seed) => Tape.Record(new Dropout(this, probability, seed));

    private Node Number(float value) => Tape.Constant(value);
}
