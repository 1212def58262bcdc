namespace GradScope.Tests.Kernels;

[Collection(nameof(Alone))]
public class TargetTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Of_several_wrong_targets_the_first_is_named_whatever_the_threads(int threads) => Alone.WithThreads(threads, () =>
    {
        var (rows, columns) = (2000, 40);
        var targets = new float[rows];
        (targets[700], targets[1999]) = (40, -2);
        for (var repeat = 0; repeat < 20; repeat++)
        {
            var tape = new Tape();
            var logits = tape.Constant(new Tensor([rows, columns], new float[rows * columns]));
            var thrown = Assert.Throws<ArgumentException>(() => logits.CrossEntropy(tape.Constant(new Tensor([rows], targets))));
            Assert.Contains("target 40 at place 700", thrown.Message);
        }

        return true;
    });
}
