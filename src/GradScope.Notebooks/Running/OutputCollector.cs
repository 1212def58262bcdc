using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace GradScope.Notebooks;

/// <summary>
/// Keeps a run's outputs as Jupyter keeps them: consecutive text of one stream is one output, and an update takes the place
/// of what was shown under its id, in whichever cell that stands.
/// </summary>
internal sealed class OutputCollector
{
    /// <summary>What a notebook keeps of one cell's console, in characters; a loop that prints for ever must not fill the disk.</summary>
    private const int StreamLimit = 1_000_000;

    /// <summary>What it keeps of one cell's values, in characters; some hundred large figures.</summary>
    private const int DisplayLimit = 50_000_000;

    private readonly Dictionary<string, JsonObject> displays = [];
    private readonly StringBuilder text = new();
    private JsonArray outputs = [];
    private int executionCount;
    private string? stream;
    private int kept, shown;
    private long dropped, hidden;
    private bool isToClear;

    /// <summary>Whatever comes from here on belongs to this cell.</summary>
    public void Begin(NotebookCell cell, int count)
    {
        outputs = cell.ClearOutputs();
        executionCount = count;
        cell.ExecutionCount = count;
        (kept, shown, dropped, hidden, isToClear) = (0, 0, 0, 0, false);
    }

    /// <summary>The cell has ended.</summary>
    public void End()
    {
        if (dropped > 0)
            Say($"{dropped} more characters were printed; a notebook keeps {StreamLimit} of a cell.\n");
        if (hidden > 0)
            Say($"{hidden} more values were shown; a notebook keeps {DisplayLimit} characters of a cell's values.\n");
        CloseStream();
    }

    public void Add(CellOutput output)
    {
        if (output is CellOutput.Stream part)
        {
            Append(part);
            return;
        }
        CloseStream();
        if (output is CellOutput.Clear { Wait: var wait })
        {
            if (!wait)
                outputs.Clear();
            isToClear = wait;
            return;
        }
        ClearIfDue();
        if (!HasRoom(output))
        {
            hidden++;
            return;
        }
        switch (output)
        {
            case CellOutput.Display shown:
                var display = new JsonObject { ["data"] = shown.Data.ToJson(NotebookJson.Lines), ["metadata"] = new JsonObject(), ["output_type"] = "display_data" };
                outputs.Add(display);
                if (shown.Id is not null)
                    displays[shown.Id] = display;
                break;
            case CellOutput.Update update:
                if (displays.TryGetValue(update.Id, out var former))
                    former["data"] = update.Data.ToJson(NotebookJson.Lines);
                break;
            case CellOutput.Result result:
                outputs.Add(new JsonObject
                {
                    ["data"] = result.Data.ToJson(NotebookJson.Lines),
                    ["execution_count"] = executionCount,
                    ["metadata"] = new JsonObject(),
                    ["output_type"] = "execute_result",
                });
                break;
            case CellOutput.Error error:
                outputs.Add(new JsonObject
                {
                    ["ename"] = error.Name,
                    ["evalue"] = error.Message,
                    ["output_type"] = "error",
                    ["traceback"] = new JsonArray([.. error.Traceback.Select(line => JsonValue.Create(line))]),
                });
                break;
        }
    }

    /// <summary>An update takes the place of what was counted already.</summary>
    private bool HasRoom(CellOutput output)
    {
        var data = output switch
        {
            CellOutput.Display shown => shown.Data,
            CellOutput.Result result => result.Data,
            CellOutput.Update update => update.Data,
            _ => null,
        };
        var length = data?.Sum(form => (long)form.Value.Length) ?? 0;
        if (length > DisplayLimit - (output is CellOutput.Update ? 0 : shown))
            return false;
        if (output is not CellOutput.Update)
            shown += (int)length;
        return true;
    }

    private void Say(FormattableString message)
    {
        if (stream != "stderr")
            CloseStream();
        stream = "stderr";
        text.Append(message.ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>Does what was to wait for the next output.</summary>
    private void ClearIfDue()
    {
        if (isToClear)
            outputs.Clear();
        isToClear = false;
    }

    private void Append(CellOutput.Stream part)
    {
        ClearIfDue();
        if (stream != part.Name)
            CloseStream();
        stream = part.Name;
        var room = Math.Min(part.Text.Length, StreamLimit - kept);
        text.Append(part.Text, 0, room);
        kept += room;
        dropped += part.Text.Length - room;
    }

    private void CloseStream()
    {
        if (stream is not null && text.Length > 0)
            outputs.Add(new JsonObject
            {
                ["name"] = stream,
                ["output_type"] = "stream",
                ["text"] = NotebookJson.Lines(text.ToString()),
            });
        stream = null;
        text.Clear();
    }
}
