using GradScope.Cli;
using GradScope.Notebooks;

// The compiler takes longer to get ready than the command line and the notebooks take to read.
CSharpSession.WarmUp();
return await CommandLine.InvokeAsync(args, Console.Out, Console.Error);
