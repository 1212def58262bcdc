using GradScope.Cli;
using GradScope.Notebooks;

// A session takes the console's place for its cells: what the tool itself says goes to the console as it is now.
var (output, error) = (Console.Out, Console.Error);

// The compiler takes longer to get ready than the command line and the notebooks take to read.
CSharpSession.WarmUp();
return await CommandLine.InvokeAsync(args, output, error, isTerminal: !Console.IsOutputRedirected);
