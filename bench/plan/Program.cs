using System.Globalization;
using Tidings.Plan;

const string HowTo = """
    usage: dotnet run --project bench/plan -- [--users 1000000,10000000,100000000] [--workload file] [--inputs file] [--results folder]
    docs/sizing.md says what it reckons with. Measurements in bench/results, where there are any, come before those of inputs.json; --results none leaves them out.
    """;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
var options = new Dictionary<string, string>
{
    ["users"] = "1000000,10000000,100000000",
    ["workload"] = Path.Combine(AppContext.BaseDirectory, "workload.json"),
    ["inputs"] = Path.Combine(AppContext.BaseDirectory, "inputs.json"),
    ["results"] = Path.Combine("bench", "results"),
};
for (var i = 0; i < args.Length; i += 2)
{
    if (!args[i].StartsWith("--", StringComparison.Ordinal) || !options.ContainsKey(args[i][2..]) || i + 1 == args.Length)
    {
        Console.Error.WriteLine(HowTo);
        return 2;
    }

    options[args[i][2..]] = args[i + 1];
}

try
{
    var inputs = Inputs.Read(options["inputs"], options["results"] == "none" ? null : options["results"]);
    var workload = Workload.Read(options["workload"]);
    var plans = options["users"].Split(',').Select(users => Model.Make(double.Parse(users, NumberStyles.AllowDecimalPoint | NumberStyles.AllowThousands), workload, inputs)).ToList();
    Output.Write(Console.Out, plans, workload, inputs);
    return 0;
}
catch (Exception exception) when (exception is IOException or InvalidDataException or System.Text.Json.JsonException or FormatException or InvalidOperationException)
{
    Console.Error.WriteLine($"The plan could not be made. {exception.Message}");
    return 1;
}
