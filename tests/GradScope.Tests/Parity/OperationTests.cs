using System.Globalization;
using Xunit.Abstractions;

namespace GradScope.Tests.Parity;

/// <summary>Each operation's value and gradients against PyTorch's.</summary>
public class OperationTests(ITestOutputHelper output)
{
    public static TheoryData<string, string> Cases
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (var reference in References.Operations)
            {
                data.Add(reference.Operation, reference.Case);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Value_and_gradients_are_PyTorchs(string operation, string @case)
    {
        var reference = References.Operations.Single(r => r.Operation == operation && r.Case == @case);
        foreach (var (tensor, error) in Compare(reference))
        {
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{tensor}: {error:0.0e-0}"));
        }
    }

    [Fact]
    public void Every_operation_has_two_shapes_and_here_are_the_largest_errors()
    {
        foreach (var group in References.Operations.GroupBy(r => r.Operation))
        {
            var shapes = group.Select(r => string.Join(" ", r.Inputs.Values.Select(x => new Shape(x.Shape)))).Distinct();
            Assert.True(shapes.Count() >= 2, $"{group.Key} has one shape only.");
            var (tensor, error) = group.SelectMany(Compare).MaxBy(result => result.Error);
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{group.Key,-14} {error:0.0e-0}  {tensor}"));
        }
    }

    private static List<(string Tensor, double Error)> Compare(OperationCase reference)
    {
        var recorded = RecordedCase.Of(reference);
        recorded.Tape.Backward(recorded.Loss);
        List<(string, double)> errors = [];
        Check("output", recorded.Result.Value, reference.Output);
        foreach (var (input, expected) in reference.Gradients)
        {
            Check($"gradient of {input}", recorded.Inputs[input].Grad, expected);
        }

        return errors;

        void Check(string tensor, Tensor received, ReferenceTensor expected)
        {
            var what = $"{reference.Operation} ({reference.Case}), {tensor}";
            errors.Add((what, Closeness.Check(what, received, expected)));
        }
    }
}
