using System.Globalization;

namespace GradScope.Figures;

/// <summary>Exact numbers behind a figure, for those who want them or cannot see it. Columns after the first <paramref name="TextColumns"/> hold numbers.</summary>
internal sealed record DataTable(string Caption, int TextColumns, IReadOnlyList<string> Columns, IReadOnlyList<IReadOnlyList<string>> Rows)
{
    public void Write(Markup html)
    {
        using var table = html.Open("table", ("class", "gs-t" + TextColumns.ToString(CultureInfo.InvariantCulture)));
        html.Element("caption", Caption);
        using (html.Open("thead"))
        using (html.Open("tr"))
        {
            for (var i = 0; i < Columns.Count; i++)
            {
                html.Element("th", Columns[i], ("scope", "col"));
            }
        }

        using var body = html.Open("tbody");
        foreach (var row in Rows)
        {
            using (html.Open("tr"))
            {
                for (var i = 0; i < row.Count; i++)
                {
                    if (i == 0) html.Element("th", row[i], ("scope", "row"));
                    else html.Element("td", row[i]);
                }
            }

            html.Line();
        }
    }
}
