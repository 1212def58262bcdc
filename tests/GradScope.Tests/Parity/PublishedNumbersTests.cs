namespace GradScope.Tests.Parity;

/// <summary>Numbers that others published and anybody can look up.</summary>
public class PublishedNumbersTests
{
    private const double SevenDigits = 5e-7;

    /// <summary>The expression at the top of micrograd's README.</summary>
    [Fact]
    public void Micrograds_expression()
    {
        var tape = new Tape();
        var a = tape.Variable(-4);
        var b = tape.Variable(2);
        var c = a + b;
        var d = a * b + b.Pow(3);
        c += c + 1;
        c += 1 + c + -a;
        d += d * 2 + (b + a).Relu();
        d += 3 * d + (b - a).Relu();
        var e = c - d;
        var f = e.Pow(2);
        var g = f / 2;
        g += 10 / f;
        tape.Backward(g);

        AssertClose(24.70408163265306, (float)g.Value);
        AssertClose(138.83381924198252, (float)a.Grad);
        AssertClose(645.5772594752186, (float)b.Grad);
    }

    /// <summary>micrograd's test/test_engine.py, test_sanity_check.</summary>
    [Fact]
    public void Micrograds_sanity_check()
    {
        var tape = new Tape();
        var x = tape.Variable(-4);
        var z = 2 * x + 2 + x;
        var q = z.Relu() + z * x;
        var h = (z * z).Relu();
        var y = h + q + q * x;
        tape.Backward(y);

        AssertClose(-20, (float)y.Value);
        AssertClose(46, (float)x.Grad);
    }

    /// <summary>
    /// Models of names.txt that are found by counting (makemore): the loss is the published one, and where counts are the
    /// best logits the gradient vanishes.
    /// </summary>
    [Theory]
    [InlineData("bigrams", 2.454014, true)]
    [InlineData("bigrams with one added", 2.454577, false)]
    [InlineData("letters", 2.822726, false)]
    [InlineData("nothing", 3.295837, false)]
    public void Counting_names(string counted, double loss, bool isOptimal)
    {
        const int Letters = 27;
        var pairs = File.ReadLines(References.PathOf("names.txt"))
            .Select(name => $".{name.Trim()}.")
            .SelectMany(name => name.Zip(name.Skip(1)))
            .Select(pair => (From: Id(pair.First), To: Id(pair.Second)))
            .ToArray();
        Assert.Equal(228_146, pairs.Length);

        var counts = new double[Letters, Letters];
        var totals = new double[Letters];
        foreach (var (from, to) in pairs)
        {
            counts[from, to]++;
            totals[to]++;
        }

        var logits = new float[Letters, Letters];
        for (var from = 0; from < Letters; from++)
        {
            for (var to = 0; to < Letters; to++)
            {
                logits[from, to] = (float)Math.Log(counted switch
                {
                    "bigrams" => counts[from, to],
                    "bigrams with one added" => counts[from, to] + 1,
                    "letters" => totals[to],
                    _ => 1,
                });
            }
        }

        var tape = new Tape();
        var table = tape.Variable(logits);
        var targets = tape.Constant(new Tensor([pairs.Length], [.. pairs.Select(pair => (float)pair.To)]));
        var mean = table.Rows([.. pairs.Select(pair => pair.From)]).CrossEntropy(targets);
        tape.Backward(mean);

        Assert.Equal(loss, (float)mean.Value, 1e-6);

        // A row of the gradient is a sum of up to 32,033 float32 terms, which leaves some 1e-6 of it; one more of each count brings 2e-4.
        Assert.Equal(isOptimal, table.Grad.Norm() < 1e-5);

        static int Id(char letter) => letter == '.' ? 0 : letter - 'a' + 1;
    }

    private static void AssertClose(double expected, float received) => Assert.Equal(expected, received, Math.Abs(expected) * SevenDigits);
}
