Console.WriteLine("gradscope");
